package pqws

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"strings"
	"testing"
	"time"
)

func TestKem(t *testing.T) {
	v := loadVectors(t)
	options := v.fixed(t, &nonces{})
	key, err := options.generate(schemes[0])
	if err != nil || !bytes.Equal(key.encapsulationKey(), v.Kem.EncapsulationKey) {
		t.Fatal("encapsulation key differs")
	}
	ss, err := key.decapsulate(v.Kem.Ciphertext)
	if err != nil || !bytes.Equal(ss, v.Kem.SharedSecret) {
		t.Fatal("decapsulated secret differs")
	}
	public, err := schemes[0].parse(v.Kem.EncapsulationKey)
	if err != nil {
		t.Fatal(err)
	}
	ss, ciphertext, err := options.encapsulate(schemes[0], public)
	if err != nil || !bytes.Equal(ss, v.Kem.SharedSecret) || !bytes.Equal(ciphertext, v.Kem.Ciphertext) {
		t.Fatal("encapsulation differs")
	}
}

func TestTranscripts(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range loadVectors(t).Transcripts {
		input := transcriptInput([]byte(c.ClientHello), []byte(c.ServerHello), c.Context)
		th := transcriptHash([]byte(c.ClientHello), []byte(c.ServerHello), c.Context)
		if !bytes.Equal(input, c.Input) || !bytes.Equal(th, c.Th) {
			t.Errorf("%s: differs", c.Name)
		}
		if seen[string(th)] {
			t.Errorf("%s: the same as another", c.Name)
		}
		seen[string(th)] = true
	}
}

func TestKeySchedule(t *testing.T) {
	v := loadVectors(t)
	for name, session := range map[string]vectorSession{"session": v.Session, "sessionWithContext": v.SessionWithContext} {
		t.Run(name, func(t *testing.T) {
			options := v.fixed(t, &nonces{})
			options.Context = session.Context
			s := start(t, "server", options)
			must(t, s.Receive(true, []byte(session.ClientHello)))
			if !bytes.Equal(s.th, session.Th) {
				t.Fatal("th differs")
			}
			secrets := map[string][]byte{"ss": session.Ss}
			for _, c := range session.Secrets {
				prk, err := hkdf.Extract(sha256.New, secrets[c.Ikm], session.Th)
				if err != nil || !bytes.Equal(prk, c.Prk) {
					t.Errorf("%s: prk differs", c.Name)
				}
				secrets[c.Name] = expand(session.Th, secrets[c.Ikm], string(c.Info), 32)
				if !bytes.Equal(secrets[c.Name], c.Okm) {
					t.Errorf("%s: differs", c.Name)
				}
			}
			// The same values as the code derives them, label by label and epoch by epoch.
			compared := 0
			if want := secrets["exporter"]; !bytes.Equal(s.exporter, want) {
				t.Error("exporter differs")
			}
			for _, d := range []*direction{s.in, s.out} {
				for epoch := range 3 {
					digit := string(rune('0' + epoch))
					following := string(rune('1' + epoch))
					if want := secrets["key["+d.name+","+digit+"]"]; want == nil || !bytes.Equal(d.key, want) {
						t.Errorf("key[%s,%d] differs", d.name, epoch)
					}
					if want := secrets["next["+d.name+","+following+"]"]; want == nil || !bytes.Equal(d.next, want) {
						t.Errorf("next[%s,%d] differs", d.name, epoch+1)
					}
					compared += 2
					d.advance(time.Time{})
				}
			}
			if compared+1 != len(session.Secrets) {
				t.Errorf("%d secrets compared of %d", compared+1, len(session.Secrets))
			}
		})
	}
}

func TestExports(t *testing.T) {
	v := loadVectors(t)
	for name, session := range map[string]vectorSession{"session": v.Session, "sessionWithContext": v.SessionWithContext} {
		options := v.fixed(t, &nonces{})
		options.Context = session.Context
		s := start(t, "client", options)
		if _, err := s.ExportKey("early", 32); err == nil {
			t.Error("a key is exported before the connection is open")
		}
		must(t, s.Receive(true, []byte(session.ServerHello)))
		must(t, s.Receive(false, session.ServerFinished.Frame))
		for _, c := range session.Exports {
			key, err := s.ExportKey(c.Label, c.Length)
			sum := sha256.Sum256(key)
			if err != nil || !bytes.Equal(key, c.Bytes) && !bytes.Equal(sum[:], c.Sha256) {
				t.Errorf("%s: %s: differs", name, c.Name)
			}
			if exportInfo(c.Label, c.Length) != string(c.Info) {
				t.Errorf("%s: %s: info differs", name, c.Name)
			}
		}
		for _, size := range []int{-1, 0, maxExport + 1} {
			if _, err := s.ExportKey("label", size); err == nil {
				t.Errorf("an export of %d bytes", size)
			}
		}
		if _, err := s.ExportKey("\xed\xa0\x80", 32); err == nil {
			t.Error("a label with a surrogate")
		}
		s.TransportClosed(codeNormal)
		if _, err := s.ExportKey("late", 32); err == nil {
			t.Error("a key is exported after the end")
		}
	}
}

func TestPadding(t *testing.T) {
	v := loadVectors(t)
	for _, b := range v.Padding.Blocks {
		if len(b.Lengths) == 0 {
			t.Fatalf("block %d has no case", b.Block)
		}
		for _, c := range b.Lengths {
			if got := Padding(b.Block).length(c[0]); got != c[1] {
				t.Errorf("block %d: %d -> %d, want %d", b.Block, c[0], got, c[1])
			}
		}
	}
	for _, c := range v.Padding.Padme {
		if got := Padme.length(c[0]); got != c[1] {
			t.Errorf("PADMÉ: %d -> %d, want %d", c[0], got, c[1])
		}
	}
	for _, p := range []Padding{-2, 65537} {
		if _, err := NewServer(Options{Padding: p}); err == nil || !strings.Contains(err.Error(), "padding") {
			t.Errorf("padding %d is taken", p)
		}
	}
}
