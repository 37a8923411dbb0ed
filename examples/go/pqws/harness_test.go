package pqws

import (
	"bytes"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// loadVectors fails when a section has no case, so that no test passes for want of them.
func loadVectors(t testing.TB) *vectorFile {
	t.Helper()
	raw, err := os.ReadFile("../../../test/vectors/v1.json")
	if err != nil {
		t.Fatal(err)
	}
	v := &vectorFile{}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
	requireCases(t, "v1.json", reflect.ValueOf(*v))
	return v
}

// requireCases walks sections, not cases: within a list of cases an empty list may be meant.
func requireCases(t testing.TB, name string, value reflect.Value) {
	t.Helper()
	for i := range value.NumField() {
		field, path := value.Field(i), name+"."+value.Type().Field(i).Name
		switch {
		case field.Type() == reflect.TypeFor[vectorRecord](), field.Type() == reflect.TypeFor[vectorMessage]():
			if field.IsZero() {
				t.Fatalf("%s is missing", path)
			}
		case field.Kind() == reflect.Struct:
			requireCases(t, path, field)
		case path == "v1.json.Session.Context": // this session has none
		case field.IsZero() || field.Kind() == reflect.Slice && field.Len() == 0:
			t.Fatalf("%s has no case", path)
		}
	}
}

// nonces gives what an end draws: the nonces of the vectors, in their order.
type nonces struct{ bytes.Buffer }

func (n *nonces) add(records ...vectorRecord) *nonces {
	for _, r := range records {
		n.Write(r.Nonce)
	}
	return n
}

// Read gives a constant when the list is used up: what the vectors do not show is not compared, and needs a nonce.
func (n *nonces) Read(p []byte) (int, error) {
	if n.Len() == 0 {
		n.Write(bytes.Repeat([]byte{0x5a}, nonceSize))
	}
	return n.Buffer.Read(p)
}

// fixed are the options that make the vectors' connection, which uses none of the extensions.
func (v *vectorFile) fixed(t testing.TB, draws *nonces) Options {
	t.Helper()
	key, err := mlkem.NewDecapsulationKey768(v.Inputs.KeySeed)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		MaxPayload: v.Inputs.MaxPayload,
		NoGrease:   true,
		Exchange:   ExchangePolicy{Off: true},
		Heartbeat:  HeartbeatPolicy{Off: true},
		random:     draws,
		generate:   func(*scheme) (decapsulationKey, error) { return mlKEMKey(key, nil) },
		encapsulate: func(_ *scheme, key encapsulationKey) ([]byte, []byte, error) {
			return mlkemtest.Encapsulate768(key.(mlKEMEncapsulation).key.(*mlkem.EncapsulationKey768), v.Inputs.M)
		},
	}
}

func start(t testing.TB, to string, options Options) *Session {
	t.Helper()
	construct := NewServer
	if to == "client" {
		construct = NewClient
	}
	s, err := construct(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	return s
}

func must(t testing.TB, out Output) Output {
	t.Helper()
	if out.Close != 0 {
		t.Fatalf("refused with %d", out.Close)
	}
	return out
}

// afterHellos brings an end to awaiting Finished, afterFinished to open.
func (v *vectorFile) afterHellos(t testing.TB, to string, options Options) *Session {
	t.Helper()
	s := start(t, to, options)
	if to == "client" {
		must(t, s.Receive(true, []byte(v.Session.ServerHello)))
	} else {
		must(t, s.Receive(true, []byte(v.Session.ClientHello)))
	}
	return s
}

func (v *vectorFile) afterFinished(t testing.TB, to string, options Options) *Session {
	t.Helper()
	s := v.afterHellos(t, to, options)
	finished := v.Session.ClientFinished
	if to == "client" {
		finished = v.Session.ServerFinished
	}
	must(t, s.Receive(false, finished.Frame))
	if s.State() != Open {
		t.Fatalf("state %d after both Finisheds", s.State())
	}
	return s
}

func sameMessages(t testing.TB, got []Message, want []vectorMessage) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d messages delivered, want %d", len(got), len(want))
	}
	for i := range got {
		if w := want[i].delivered(t); got[i].Text != w.Text || !bytes.Equal(got[i].Data, w.Data) {
			t.Fatalf("message %d differs", i)
		}
	}
}

func refused(t testing.TB, s *Session, out Output, code uint16) {
	t.Helper()
	if out.Close != code || len(out.Send) != 0 || len(out.Messages) != 0 {
		t.Fatalf("closes with %d, %d sent, %d delivered; want %d alone", out.Close, len(out.Send), len(out.Messages), code)
	}
	if f := s.Status().Failure; s.State() != Failed || f == nil || f.Code != code || f.Check == "" {
		t.Fatalf("state %d, failure %v; want failure %d", s.State(), f, code)
	}
	if s.in != nil && (!allZero(s.in.key) || !allZero(s.out.key) || !allZero(s.in.next) || !allZero(s.out.next)) {
		t.Fatal("keys are left after a failure")
	}
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
