package pqws

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/sha3"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keyFrom makes the decapsulation key of a seed.
func keyFrom(t testing.TB, name KEM, seed []byte) decapsulationKey {
	t.Helper()
	var key decapsulationKey
	var err error
	switch name {
	case MLKEM768:
		key, err = mlKEMKey(mlkem.NewDecapsulationKey768(seed))
	case MLKEM1024:
		key, err = mlKEMKey(mlkem.NewDecapsulationKey1024(seed))
	case MLKEM768X25519:
		expanded := sha3.SumSHAKE256(seed, 96)
		var hybrid hybridDecapsulation
		if hybrid.m, err = mlkem.NewDecapsulationKey768(expanded[:64]); err == nil {
			hybrid.x, err = ecdh.X25519().NewPrivateKey(expanded[64:])
		}
		key = hybrid
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// encapsulateWith uses the given randomness.
func encapsulateWith(t testing.TB, key encapsulationKey, m []byte) ([]byte, []byte, error) {
	t.Helper()
	switch key := key.(type) {
	case hybridEncapsulation:
		ssM, ctM, err := mlkemtest.Encapsulate768(key.m, m[:32])
		if err != nil {
			t.Fatal(err)
		}
		ephemeral, err := ecdh.X25519().NewPrivateKey(m[32:])
		if err != nil {
			t.Fatal(err)
		}
		return key.combine(ssM, ctM, ephemeral)
	case mlKEMEncapsulation:
		if key, ok := key.key.(*mlkem.EncapsulationKey768); ok {
			return mlkemtest.Encapsulate768(key, m)
		}
		return mlkemtest.Encapsulate1024(key.key.(*mlkem.EncapsulationKey1024), m)
	}
	t.Fatal("a key of no KEM")
	return nil, nil, nil
}

func schemeOf(t testing.TB, name KEM) *scheme {
	t.Helper()
	found, err := schemesOf([]KEM{name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}

// thirdParty opens a file of the vectors that stand beside the repository. Without them a test is left out, but not in CI.
func thirdParty(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../../../shared/vectors", name))
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("no third-party vectors in ../shared/vectors beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestHPKEHybrid(t *testing.T) {
	var cases []struct{ SkRm, PkRm, IkmE, Enc, Shared_secret hexBytes }
	if err := json.Unmarshal(thirdParty(t, "hpke/mlkem768_x25519.json"), &cases); err != nil || len(cases) == 0 {
		t.Fatalf("%v, %d cases", err, len(cases))
	}
	for i, c := range cases {
		key := keyFrom(t, MLKEM768X25519, c.SkRm)
		if !bytes.Equal(key.encapsulationKey(), c.PkRm) {
			t.Errorf("%d: public key differs", i)
		}
		if ss, err := key.decapsulate(c.Enc); err != nil || !bytes.Equal(ss, c.Shared_secret) {
			t.Errorf("%d: decapsulated secret differs", i)
		}
		public, err := schemeOf(t, MLKEM768X25519).parse(c.PkRm)
		if err != nil {
			t.Fatal(err)
		}
		ss, ciphertext, err := encapsulateWith(t, public, c.IkmE)
		if err != nil || !bytes.Equal(ss, c.Shared_secret) || !bytes.Equal(ciphertext, c.Enc) {
			t.Errorf("%d: encapsulation differs", i)
		}
	}
}

// wycheproof calls test for each case of a file, and fails where there is none.
func wycheproof(t *testing.T, name string, test func(t *testing.T, c kemCase)) {
	t.Helper()
	var file struct {
		TestGroups []struct {
			ParameterSet string
			Tests        []kemCase
		}
	}
	if err := json.Unmarshal(thirdParty(t, "wycheproof/"+name), &file); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, group := range file.TestGroups {
		for _, c := range group.Tests {
			count++
			test(t, c)
		}
	}
	if count == 0 {
		t.Fatalf("%s has no case", name)
	}
}

type kemCase struct {
	TcID           int
	Seed, Ek, C, K hexBytes
	M              hexBytes
	Result         string
}

// parseChecked is what a server does with a key of the wire: its length first.
func parseChecked(s *scheme, raw []byte) (encapsulationKey, error) {
	if len(raw) != s.keySize {
		return nil, errBase64
	}
	return s.parse(raw)
}

func TestWycheproof(t *testing.T) {
	for _, k := range []struct {
		name   KEM
		number string
	}{{MLKEM768, "768"}, {MLKEM1024, "1024"}} {
		s := schemeOf(t, k.name)
		wycheproof(t, "mlkem_"+k.number+"_keygen_seed_test.json", func(t *testing.T, c kemCase) {
			if key := keyFrom(t, k.name, c.Seed); !bytes.Equal(key.encapsulationKey(), c.Ek) {
				t.Errorf("%s keygen %d differs", k.name, c.TcID)
			}
		})
		wycheproof(t, "mlkem_"+k.number+"_test.json", func(t *testing.T, c kemCase) {
			if len(c.Seed) != mlkem.SeedSize || len(c.C) != s.ciphertextSize {
				if c.Result == "valid" {
					t.Errorf("%s %d: a valid case of a wrong length", k.name, c.TcID)
				}
				return
			}
			ss, err := keyFrom(t, k.name, c.Seed).decapsulate(c.C)
			if valid := c.Result == "valid"; valid != (err == nil && bytes.Equal(ss, c.K)) {
				t.Errorf("%s decapsulation %d differs", k.name, c.TcID)
			}
		})
		wycheproof(t, "mlkem_"+k.number+"_encaps_test.json", func(t *testing.T, c kemCase) {
			key, err := parseChecked(s, c.Ek)
			if valid := c.Result == "valid"; valid != (err == nil) {
				t.Errorf("%s encapsulation %d: %v", k.name, c.TcID, err)
			}
			if err != nil {
				return
			}
			ss, ciphertext, err := encapsulateWith(t, key, c.M)
			if err != nil || !bytes.Equal(ss, c.K) || !bytes.Equal(ciphertext, c.C) {
				t.Errorf("%s encapsulation %d differs", k.name, c.TcID)
			}
		})
	}
}

func TestCCTVModulus(t *testing.T) {
	for name, file := range map[KEM]string{MLKEM768: "ML-KEM-768", MLKEM1024: "ML-KEM-1024"} {
		reader, err := gzip.NewReader(bytes.NewReader(thirdParty(t, "cctv/modulus/"+file+".txt.gz")))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Fields(string(text))
		if len(lines) == 0 {
			t.Fatal("no case")
		}
		for i, line := range lines {
			raw, err := hex.DecodeString(line)
			if err != nil || len(raw) != schemeOf(t, name).keySize {
				t.Fatalf("%s line %d", name, i+1)
			}
			if _, err := schemeOf(t, name).parse(raw); err == nil {
				t.Errorf("%s line %d: a coefficient over the modulus is taken", name, i+1)
			}
			if name == MLKEM768 {
				if _, err := schemeOf(t, MLKEM768X25519).parse(append(raw, make([]byte, x25519Size)...)); err == nil {
					t.Errorf("line %d: the hybrid takes it", i+1)
				}
			}
		}
	}
}

// TestHandshakeWithEveryKEM goes through all that a client may offer and a server take.
func TestHandshakeWithEveryKEM(t *testing.T) {
	all := []KEM{MLKEM768X25519, MLKEM1024, MLKEM768}
	for _, c := range []struct {
		offered, accepted []KEM
		taken             KEM
	}{
		{nil, nil, MLKEM768},
		{all, nil, MLKEM768X25519},
		{[]KEM{MLKEM768, MLKEM1024}, nil, MLKEM1024},
		{[]KEM{MLKEM768, MLKEM1024}, []KEM{MLKEM768, MLKEM1024}, MLKEM768},
		{all, []KEM{MLKEM1024}, MLKEM1024},
		{[]KEM{MLKEM768X25519}, all, MLKEM768X25519},
	} {
		client, server := pair(t, Options{KEMs: c.offered}, Options{KEMs: c.accepted})
		if client.KEM() != c.taken || server.KEM() != c.taken {
			t.Errorf("%v to %v: %s and %s, want %s", c.offered, c.accepted, client.KEM(), server.KEM(), c.taken)
		}
		if len(client.offered) > 0 {
			t.Error("unused keys are kept")
		}
		if got := deliver(t, server, sendOK(t, client, "sealed")); len(got) != 1 {
			t.Error("out of step")
		}
	}
	for _, options := range []Options{
		{KEMs: []KEM{}}, {KEMs: []KEM{"ml-kem-512"}}, {KEMs: []KEM{MLKEM768, MLKEM768}},
	} {
		if _, err := NewClient(options); err == nil {
			t.Errorf("a client takes %q", options.KEMs)
		}
		if _, err := NewServer(options); err == nil {
			t.Errorf("a server takes %q", options.KEMs)
		}
	}
}

// TestKeysThatX25519Refuses: the draft leaves it open, this peer refuses what gives zeros, in every role.
func TestKeysThatX25519Refuses(t *testing.T) {
	key := keyFrom(t, MLKEM768X25519, make([]byte, 32))
	zero := append(bytes.Clone(key.encapsulationKey()[:mlkem.EncapsulationKeySize768]), make([]byte, x25519Size)...)
	client := start(t, "client", Options{KEMs: []KEM{MLKEM768X25519}, generate: func(*scheme) (decapsulationKey, error) {
		return zeroKey{key, zero}, nil
	}})
	server := start(t, "server", Options{})
	refused(t, server, server.Receive(true, client.ClientHello()), CodeHandshake)
}

type zeroKey struct {
	decapsulationKey
	public []byte
}

func (z zeroKey) encapsulationKey() []byte { return z.public }
