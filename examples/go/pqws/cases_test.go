package pqws

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"
)

func (v *vectorFile) steps(t *testing.T, s *Session, steps []vectorStep) {
	t.Helper()
	for _, step := range steps {
		if step.Receive != nil {
			text, data := step.Receive.bytes(t)
			if out := s.Receive(text, data); out.Close != 0 && out.Close != codeNormal {
				t.Fatalf("a step before is refused with %d", out.Close)
			}
			s.Drained()
			continue
		}
		out, err := s.Close(step.Close.Code, step.Close.Reason)
		if err != nil || len(out.Send) != 1 {
			t.Fatalf("close before: %v", err)
		}
	}
}

func TestAcceptedFrames(t *testing.T) {
	v := loadVectors(t)
	for _, c := range v.AcceptedFrames {
		t.Run(c.Name, func(t *testing.T) {
			s := v.afterFinished(t, c.To, v.fixed(t, &nonces{}))
			v.steps(t, s, c.Before)
			text, data := c.Message.bytes(t)
			sameMessages(t, must(t, s.Receive(text, data)).Messages, c.Delivers)
		})
	}
}

func TestRefusedFrames(t *testing.T) {
	v := loadVectors(t)
	for _, c := range v.RefusedFrames {
		t.Run(c.Name, func(t *testing.T) {
			s := v.afterFinished(t, c.To, v.fixed(t, &nonces{}))
			v.steps(t, s, c.Before)
			text, data := c.Message.bytes(t)
			refused(t, s, s.Receive(text, data), c.Code)
		})
	}
}

func TestAcceptedHellos(t *testing.T) {
	v := loadVectors(t)
	for _, c := range v.AcceptedHellos {
		t.Run(c.Name, func(t *testing.T) {
			draws := (&nonces{}).add(v.Session.ServerFinished)
			if c.To == "client" {
				draws = (&nonces{}).add(v.Session.ClientFinished)
			}
			s := start(t, c.To, v.fixed(t, draws))
			text, data := c.Message.bytes(t)
			out := must(t, s.Receive(text, data))
			if !bytes.Equal(s.TranscriptHash(), c.Th) {
				t.Fatal("th differs")
			}
			if c.To == "client" {
				out = must(t, s.Receive(false, c.ServerFinished))
				if len(out.Send) != 1 || !bytes.Equal(out.Send[0].Data, c.ClientFinished) {
					t.Fatal("Finished(client) differs")
				}
				return
			}
			if len(out.Send) != 2 || string(out.Send[0].Data) != v.Session.ServerHello ||
				!bytes.Equal(out.Send[1].Data, c.ServerFinished) {
				t.Fatal("the reply differs")
			}
			must(t, s.Receive(false, c.ClientFinished))
			if s.State() != Open {
				t.Fatal("not open")
			}
		})
	}
}

func TestRefusedHellos(t *testing.T) {
	v := loadVectors(t)
	for _, c := range v.RefusedHellos {
		t.Run(c.Name, func(t *testing.T) {
			s := start(t, c.To, v.fixed(t, &nonces{}))
			text, data := c.Message.bytes(t)
			refused(t, s, s.Receive(text, data), c.Code)
		})
	}
}

// pins are the public keys of the named identities.
func (v *vectorFile) pins(t *testing.T, names []string) [][]byte {
	t.Helper()
	var pins [][]byte
	for _, name := range names {
		for _, key := range v.ServerIdentity.Keys {
			if key.Name == name {
				pins = append(pins, key.PublicKey)
			}
		}
	}
	if len(pins) != len(names) {
		t.Fatal("a pin of no known name")
	}
	return pins
}

func TestFinished(t *testing.T) {
	v := loadVectors(t)
	for _, cases := range [][]vectorCase{v.AcceptedFinished, v.RefusedFinished} {
		for _, c := range cases {
			t.Run(c.Name, func(t *testing.T) {
				options := v.fixed(t, &nonces{})
				options.Pins = v.pins(t, c.Pins)
				to := c.To
				s := v.afterHellos(t, to, options)
				text, data := c.Message.bytes(t)
				out := s.Receive(text, data)
				if c.Code != 0 {
					refused(t, s, out, c.Code)
				} else if must(t, out); s.State() != Open {
					t.Fatal("not open")
				}
			})
		}
	}
}

func TestIdentity(t *testing.T) {
	v := loadVectors(t)
	th := v.Session.Th
	if !bytes.Equal(identityMessage(inHandshake, "server", th), v.ServerIdentity.SignedBytes) {
		t.Fatal("signed bytes differ")
	}
	for _, key := range v.ServerIdentity.Keys {
		if _, public, err := IdentityFromSeed(key.Seed); err != nil || !bytes.Equal(public, key.PublicKey) {
			t.Fatalf("public key of %s differs", key.Name)
		}
	}
	// Signing is hedged here, deterministic in the vectors: what is made must verify, what is given too.
	sign, public, err := IdentityFromSeed(v.ServerIdentity.Keys[0].Seed)
	if err != nil {
		t.Fatal(err)
	}
	pins, err := parseKeys([][]byte{public})
	if err != nil {
		t.Fatal(err)
	}
	message := identityMessage(inHandshake, "server", th)
	own, err := sign(message)
	if err != nil || pins.signedBy(message, own, nil) == nil || pins.signedBy(message, v.ServerIdentity.Signature, nil) == nil {
		t.Fatal("a good signature does not verify")
	}
	options := v.fixed(t, (&nonces{}).add(v.ServerIdentity.ServerFinished))
	options.Identity = func([]byte) ([]byte, error) { return v.ServerIdentity.Signature, nil }
	s := start(t, "server", options)
	out := must(t, s.Receive(true, []byte(v.Session.ClientHello)))
	if !bytes.Equal(out.Send[1].Data, v.ServerIdentity.ServerFinished.Frame) {
		t.Fatal("Finished(server) differs")
	}
	options = v.fixed(t, &nonces{})
	options.Identity = func([]byte) ([]byte, error) { return nil, errors.New("no HSM") }
	s = start(t, "server", options)
	refused(t, s, s.Receive(true, []byte(v.Session.ClientHello)), CodeAuthentication)
	for _, pins := range [][][]byte{{}, {make([]byte, 31)}} {
		if _, err := NewClient(Options{Pins: pins}); err == nil {
			t.Error("pins that pin nothing are taken")
		}
	}
}

func TestFingerprint(t *testing.T) {
	sign, public, err := IdentityFromSeed(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	otherSign, other, err := IdentityFromSeed(bytes.Repeat([]byte{2}, 32))
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := sha256.Sum256(public)
	for name, c := range map[string]struct {
		sign Signer
		sent []byte
		code uint16
	}{
		"the key is sent":                        {sign, public, 0},
		"no key is sent":                         {sign, nil, CodeAuthentication},
		"a malformed key is sent":                {sign, public[1:], CodeAuthentication},
		"another key, which has signed, is sent": {otherSign, other, CodeAuthentication},
		"the key is sent, another has signed":    {otherSign, public, CodeAuthentication},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := NewClient(Options{Pins: [][]byte{fingerprint[:]}})
			if err != nil {
				t.Fatal(err)
			}
			server, err := NewServer(Options{Identity: c.sign, PublicKey: c.sent})
			if err != nil {
				t.Fatal(err)
			}
			server.Start()
			reply := server.Receive(true, client.Start().Send[0].Data)
			client.Receive(true, reply.Send[0].Data)
			if out := client.Receive(false, reply.Send[1].Data); out.Close != c.code {
				t.Errorf("closed with %d, want %d", out.Close, c.code)
			}
		})
	}
}

func TestAttestation(t *testing.T) {
	v := loadVectors(t)
	options := func() Options {
		o := v.fixed(t, &nonces{})
		o.VerifyAttestation = func(document []byte, due UserData) error {
			if !due.Covers(v.Attestation.UserData) || due.Covers(document) {
				t.Error("user data differ")
			}
			if !bytes.Equal(document, v.Attestation.Document) {
				return errors.New("another document")
			}
			return nil
		}
		return o
	}
	s := v.afterHellos(t, "client", options())
	must(t, s.Receive(false, v.Attestation.ServerFinished.Frame))
	for _, c := range v.Attestation.RefusedFinished {
		t.Run(c.Name, func(t *testing.T) {
			s := v.afterHellos(t, "client", options())
			text, data := c.Message.bytes(t)
			refused(t, s, s.Receive(text, data), c.Code)
		})
	}
	o := v.fixed(t, (&nonces{}).add(v.Attestation.ServerFinished))
	o.Attest = func(UserData) ([]byte, error) { return v.Attestation.Document, nil }
	out := must(t, start(t, "server", o).Receive(true, []byte(v.Session.ClientHello)))
	if !bytes.Equal(out.Send[1].Data, v.Attestation.ServerFinished.Frame) {
		t.Fatal("Finished(server) differs")
	}
}

func TestImplicitRejection(t *testing.T) {
	v := loadVectors(t)
	c := v.ImplicitRejection
	for _, message := range []vectorMessage{c.Message, c.MessageUnderTheRightSecret} {
		s := start(t, "client", v.fixed(t, &nonces{}))
		must(t, s.Receive(true, []byte(c.ServerHello)))
		if !bytes.Equal(s.th, c.Th) ||
			!bytes.Equal(s.in.key, expand(c.Th, c.SharedSecretOfTheClient, prefix+"server key", 32)) {
			t.Fatal("th or key differs")
		}
		text, data := message.bytes(t)
		refused(t, s, s.Receive(text, data), c.Code)
	}
}

func TestFastOpen(t *testing.T) {
	v := loadVectors(t).FastOpen
	for _, c := range v.Offered {
		offer := ReadFastOpen(c.Protocols)
		if string(offer.ClientHello) != v.ClientHello || len(offer.Application) != len(c.Application) ||
			offer.Select(c.Application) != c.Select {
			t.Errorf("%s: read differently", c.Name)
		}
		if !FitsFastOpen([]byte(v.ClientHello)) || FitsFastOpen(make([]byte, 5996)) || !FitsFastOpen(make([]byte, 5995)) {
			t.Errorf("%s: fits differently", c.Name)
		}
		made := FastOpenProtocols(c.Application, []byte(v.ClientHello))
		if len(made) != len(c.Protocols) || made[len(made)-1] != v.Token || made[0] != c.Protocols[0] {
			t.Errorf("%s: made differently", c.Name)
		}
	}
	for _, c := range v.IgnoredTokens {
		offer := ReadFastOpen(c.Protocols)
		if offer.ClientHello == nil {
			continue
		}
		s, err := NewServer(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if out := s.StartEarly(offer.ClientHello); len(out.Send) > 0 || out.Close != 0 || s.State() != AwaitingHello {
			t.Errorf("%s: counts", c.Name)
		}
	}
	file := loadVectors(t)
	early := func() *Session {
		s, err := NewServer(file.fixed(t, &nonces{}))
		if err != nil {
			t.Fatal(err)
		}
		must(t, s.StartEarly([]byte(v.ClientHello)))
		return s
	}
	for _, c := range v.RefusedFirstMessages {
		s := early()
		text, data := c.Message.bytes(t)
		refused(t, s, s.Receive(text, data), c.Code)
	}
	s := early()
	must(t, s.Receive(true, []byte(v.ClientHello)))
	must(t, s.Receive(false, file.Session.ClientFinished.Frame))
	for selected, ok := range map[string]bool{"": false, "chat": true, "pqws1": false, "pqws1.x": false, "other": false} {
		s, err := NewClient(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if out := s.Selected(selected, []string{"chat"}, true); (out.Close == 0) != ok {
			t.Errorf("%q selected: %d", selected, out.Close)
		}
	}
}
