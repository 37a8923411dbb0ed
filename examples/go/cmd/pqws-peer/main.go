// Command pqws-peer is the Go side of the interoperability tests: a server with commands, and a client that runs
// cases against such a server.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/pqws/pqws"
)

const usage = `usage:
  pqws-peer server [--port N] [--identity-seed HEX] [--client-keys HEX|sha256:HEX]... [--page REPOSITORY] [OPTION]...
  pqws-peer client URL [--case NAME]... [--pin HEX|sha256:HEX]... [--identity HEX] [--fast-open] [OPTION]...
  pqws-peer features
  OPTION: --profile v1, --context TEXT, --padding N|padme, --max-payload N, --handshake-timeout DURATION, --kem NAME (may be
  repeated), --exchange-ms N (0: off), --heartbeat INTERVAL/TIMEOUT in ms, or off, --no-extensions`

// What test/interop asks before it runs anything.
const features = `{"server":["v1","identity","fingerprint","fast-open","kem","exchange","client-identity","heartbeat","page"],` +
	`"client":["v1","identity","fingerprint","fast-open","kem","exchange","client-identity","heartbeat"]}`

func main() {
	if len(os.Args) > 1 {
		switch mode, args := os.Args[1], os.Args[2:]; mode {
		case "server":
			exit(runServer(args))
		case "client":
			exit(runClient(args, os.Stdout))
		case "features":
			fmt.Println(features)
			return
		}
	}
	exit(errors.New(usage))
}

// errCases is returned when a case failed, which has been printed.
var errCases = errors.New("cases failed")

func exit(err error) {
	switch {
	case err == nil:
		os.Exit(0)
	case errors.Is(err, errCases):
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

// commonFlags are those that both modes take.
func commonFlags(flags *flag.FlagSet, options *pqws.Options) {
	flags.Func("profile", "v1, the only one that this peer speaks", func(text string) error {
		if text != "v1" {
			return errors.New("this peer speaks v1 alone")
		}
		return nil
	})
	flags.Func("context", "what both ends bind the handshake to", func(text string) error {
		options.Context = []byte(text)
		return nil
	})
	flags.Func("padding", "block size, or padme", func(text string) (err error) {
		options.Padding, err = parsePadding(text)
		return err
	})
	flags.IntVar(&options.MaxPayload, "max-payload", 0, "longest message that is taken, in bytes")
	flags.DurationVar(&options.HandshakeTimeout, "handshake-timeout", 10*time.Second, "for the whole handshake")
	flags.Func("kem", "offered by a client or taken by a server, the first first; may be repeated", func(text string) error {
		options.KEMs = append(options.KEMs, pqws.KEM(text))
		return nil
	})
	flags.Func("exchange-ms", "age of a generation at which this end asks for the next; 0: no exchange", func(text string) error {
		milliseconds, err := strconv.ParseUint(text, 10, 31)
		options.Exchange = pqws.ExchangePolicy{Off: milliseconds == 0, After: time.Duration(milliseconds) * time.Millisecond}
		return err
	})
	flags.Func("heartbeat", "interval and timeout in milliseconds, with / between; off: no sealed ping", func(text string) (err error) {
		options.Heartbeat, err = parseHeartbeat(text)
		return err
	})
	flags.BoolFunc("no-extensions", "speaks as a peer that knows none of them", func(string) error {
		options.KEMs = []pqws.KEM{pqws.MLKEM768}
		options.Exchange, options.Heartbeat = pqws.ExchangePolicy{Off: true}, pqws.HeartbeatPolicy{Off: true}
		options.NoGrease = true
		return nil
	})
}

func parseHeartbeat(text string) (pqws.HeartbeatPolicy, error) {
	if text == "off" {
		return pqws.HeartbeatPolicy{Off: true}, nil
	}
	interval, timeout, _ := strings.Cut(text, "/")
	a, errA := strconv.ParseUint(interval, 10, 31)
	b, errB := strconv.ParseUint(timeout, 10, 31)
	if errA != nil || errB != nil || a == 0 || b == 0 {
		return pqws.HeartbeatPolicy{}, errors.New("such as 30000/10000, in milliseconds, or off")
	}
	return pqws.HeartbeatPolicy{Interval: time.Duration(a) * time.Millisecond, Timeout: time.Duration(b) * time.Millisecond}, nil
}

func parseIdentity(text string) (pqws.Signer, []byte, error) {
	seed, err := hex.DecodeString(text)
	if err != nil {
		return nil, nil, errors.New("not hexadecimal")
	}
	return pqws.IdentityFromSeed(seed)
}

func parsePadding(text string) (pqws.Padding, error) {
	if text == "padme" {
		return pqws.Padme, nil
	}
	block, err := strconv.Atoi(text)
	if err != nil || block < 0 || block > 65536 {
		return 0, errors.New("0 to 65536, or padme")
	}
	return pqws.Padding(block), nil
}

func parsePin(text string) ([]byte, error) {
	digits, isFingerprint := strings.CutPrefix(text, "sha256:")
	pin, err := hex.DecodeString(digits)
	if err != nil {
		return nil, errors.New("not hexadecimal")
	}
	if isFingerprint != (len(pin) == sha256.Size) {
		return nil, errors.New("a public key of 1952 bytes in hex, or sha256: and the 64 digits of its fingerprint")
	}
	return pin, nil
}
