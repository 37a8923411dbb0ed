package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/pqws/pqws"
)

// run is `pqws-peer client` in this process, against `pqws-peer server`'s handler.
func run(t *testing.T, options pqws.Options, args ...string) ([]verdict, error) {
	t.Helper()
	server := httptest.NewServer(handler(options))
	defer server.Close()
	var stdout bytes.Buffer
	err := runClient(append([]string{"ws" + strings.TrimPrefix(server.URL, "http")}, args...), &stdout)
	var verdicts []verdict
	for decoder := json.NewDecoder(&stdout); ; {
		var v verdict
		if decodeErr := decoder.Decode(&v); decodeErr == io.EOF {
			return verdicts, err
		} else if decodeErr != nil {
			t.Fatal(decodeErr)
		}
		verdicts = append(verdicts, v)
	}
}

func TestLoopback(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 32)
	sign, public, err := pqws.IdentityFromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := sha256.Sum256(public)
	clientSeed := hex.EncodeToString(bytes.Repeat([]byte{8}, 32))
	_, clientKey, err := parseIdentity(clientSeed)
	if err != nil {
		t.Fatal(err)
	}
	often := pqws.ExchangePolicy{After: 20 * time.Millisecond}
	for name, c := range map[string]struct {
		options pqws.Options
		args    []string
		more    []testCase
	}{
		"kem":        {pqws.Options{}, []string{"--kem", "ml-kem-1024"}, kemCases},
		"kems":       {pqws.Options{}, []string{"--kem", "ml-kem-768", "--kem", "mlkem768-x25519"}, kemCases},
		"exchange":   {pqws.Options{Exchange: often}, []string{"--exchange-ms", "20"}, exchangeCases},
		"heartbeat":  {pqws.Options{}, []string{"--heartbeat", "5/20000"}, heartbeatCases},
		"old client": {pqws.Options{}, []string{"--no-extensions"}, nil},
		"off":        {pqws.Options{Exchange: often}, []string{"--exchange-ms", "0", "--heartbeat", "off"}, nil},
		"everything": {
			pqws.Options{Identity: sign, Exchange: often, ClientKeys: [][]byte{clientKey}, Padding: 64},
			[]string{
				"--pin", hex.EncodeToString(public), "--identity", clientSeed, "--exchange-ms", "20",
				"--kem", "mlkem768-x25519", "--heartbeat", "5/20000", "--padding", "padme",
			},
			slices.Concat(kemCases, exchangeCases, identityCases, heartbeatCases),
		},
		"plain":    {options: pqws.Options{}},
		"context":  {pqws.Options{Context: []byte("room 7")}, []string{"--context", "room 7"}, nil},
		"padded":   {pqws.Options{Padding: 256}, []string{"--padding", "padme"}, nil},
		"identity": {pqws.Options{Identity: sign}, []string{"--pin", hex.EncodeToString(public)}, nil},
		"fingerprint": {
			pqws.Options{Identity: sign, PublicKey: public},
			[]string{"--pin", "sha256:" + hex.EncodeToString(fingerprint[:])},
			nil,
		},
		"fast open": {pqws.Options{}, []string{"--fast-open"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			verdicts, err := run(t, c.options, c.args...)
			if err != nil || len(verdicts) != len(cases)+len(c.more) {
				t.Errorf("%v, %d verdicts", err, len(verdicts))
			}
			for _, v := range verdicts {
				if !v.OK {
					t.Errorf("%s: %s", v.Case, v.Detail)
				}
			}
		})
	}
}

func TestMismatchFailsEveryCase(t *testing.T) {
	verdicts, err := run(t, pqws.Options{Context: []byte("room 7")}, "--context", "room 8")
	if !errors.Is(err, errCases) || len(verdicts) != len(cases) {
		t.Fatalf("%v, %d verdicts", err, len(verdicts))
	}
	for _, v := range verdicts {
		if v.OK || !strings.Contains(v.Detail, "3768") {
			t.Errorf("%+v", v)
		}
	}
}

func TestServerPrintsItsPort(t *testing.T) {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(serve(0, handler(pqws.Options{}), writer)) }()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	port, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if !ok {
		t.Fatalf("%q", line)
	}
	if err := runClient([]string{"ws://127.0.0.1:" + port + "/any/path"}, io.Discard); err != nil {
		t.Fatal(err)
	}
}

func TestArguments(t *testing.T) {
	fingerprint := strings.Repeat("ab", 32)
	for _, args := range [][]string{
		{}, {"--context", "x"}, {"ws://127.0.0.1:1", "--profile", "yellowpages"}, {"ws://127.0.0.1:1", "--padding", "65537"},
		{"ws://127.0.0.1:1", "--pin", fingerprint}, {"ws://127.0.0.1:1", "--pin", "sha256:" + fingerprint[2:]}, {"ws://127.0.0.1:1", "--pin", "zz"},
		{"ws://127.0.0.1:1", "--exchange-ms", "-1"}, {"ws://127.0.0.1:1", "--heartbeat", "5"}, {"ws://127.0.0.1:1", "--identity", "00"},
		{"ws://127.0.0.1:1", "--client-keys", fingerprint},
	} {
		if err := runClient(args, io.Discard); err == nil || errors.Is(err, errCases) {
			t.Errorf("%v is taken", args)
		}
	}
	for _, args := range [][]string{{"--profile", "both"}, {"--identity-seed", "00"}, {"--context", ""}, {"--kem", "ml-kem-512"}, {"--client-keys", "zz"}, {"--identity", "00"}} {
		if err := runServer(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}
