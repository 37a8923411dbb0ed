package pqws

import (
	"errors"
	"testing"
	"time"
)

// How a session begins late and ends early: timers, and closes before it is open.

func TestHandshakeTimeout(t *testing.T) {
	v := loadVectors(t)
	for _, to := range []string{"client", "server"} {
		s := start(t, to, v.fixed(t, &nonces{}))
		refused(t, s, s.ExpireHandshake(), CodeTimeout)
		s = v.afterHellos(t, to, v.fixed(t, &nonces{}))
		refused(t, s, s.ExpireHandshake(), CodeTimeout)
		s = v.afterFinished(t, to, v.fixed(t, &nonces{}))
		must(t, s.ExpireHandshake())
	}
	// A callback that takes longer than the handshake may.
	now := time.Unix(0, 0)
	late := func([]byte, UserData) error { now = now.Add(DefaultHandshakeTimeout + 1); return nil }
	options := v.fixed(t, &nonces{})
	options.Now, options.VerifyAttestation = func() time.Time { return now }, late
	s := v.afterHellos(t, "client", options)
	refused(t, s, s.Receive(false, v.Attestation.ServerFinished.Frame), CodeTimeout)
	options = v.fixed(t, &nonces{})
	options.Now = func() time.Time { return now }
	options.Attest = func(UserData) ([]byte, error) { return []byte{1}, late(nil, UserData{}) }
	s = start(t, "server", options)
	refused(t, s, s.Receive(true, []byte(v.Session.ClientHello)), CodeTimeout)
}

func TestServerBeforeFinished(t *testing.T) {
	v := loadVectors(t)
	s := v.afterHellos(t, "server", v.fixed(t, &nonces{}))
	sendOK(t, s, "welcome")
	out, err := s.Close(4000, "busy")
	if err != nil || len(out.Send) != 1 || s.State() != ClosingUnconfirmed {
		t.Fatalf("state %d, %v", s.State(), err)
	}
	if _, err := s.Send(Message{}); !errors.Is(err, ErrNotOpen) {
		t.Error("sends after its close")
	}
	must(t, s.Receive(false, v.Session.ClientFinished.Frame))
	if s.State() != CloseSent || !s.Confirmed() {
		t.Fatalf("state %d", s.State())
	}
	// The first phase lasts until Finished(client).
	s = v.afterHellos(t, "server", v.fixed(t, &nonces{}))
	if _, err := s.Close(4000, "busy"); err != nil {
		t.Fatal(err)
	}
	refused(t, s, s.Receive(true, nil), CodeHandshake)
	s = v.afterHellos(t, "server", v.fixed(t, &nonces{}))
	if out := s.Evict(); out.Close != codeTryAgain || s.State() != Failed {
		t.Fatalf("evicted: %+v", out)
	}
}

func TestCloseBeforeOpen(t *testing.T) {
	v := loadVectors(t)
	for _, s := range []*Session{start(t, "client", Options{}), start(t, "server", Options{}),
		v.afterHellos(t, "client", v.fixed(t, &nonces{}))} {
		if _, err := s.Send(Message{}); !errors.Is(err, ErrNotOpen) {
			t.Error("sends before it is open")
		}
		out, err := s.Close(4000, "bye")
		if err != nil || len(out.Send) != 0 || out.Close == 0 || s.State() != Failed {
			t.Fatalf("%+v, %v", out, err)
		}
		if st := s.Status(); st.Code != codeAbnormal || st.Clean {
			t.Fatalf("%+v", st)
		}
	}
}

func TestCloseTimeout(t *testing.T) {
	client, _ := pair(t, Options{}, Options{})
	must(t, client.ExpireClose())
	if _, err := client.Close(4000, "bye"); err != nil {
		t.Fatal(err)
	}
	if out := client.ExpireClose(); out.Close != codeNormal {
		t.Fatalf("%+v", out)
	}
	if st := client.Status(); st.Code != codeAbnormal || st.Clean || st.Failure != nil {
		t.Fatalf("%+v", st)
	}
}

func TestTransportCloses(t *testing.T) {
	for claimed, seen := range map[uint16]uint16{
		1000: 1006, 1001: 1001, 1005: 1006, 1006: 1006, 1011: 1006, 1012: 1012, 1014: 1014, 1015: 1006,
		3767: 1006, 3768: 3768, 3773: 3773, 3774: 1006, 4000: 1006,
	} {
		_, server := pair(t, Options{}, Options{})
		server.TransportClosed(claimed)
		if st := server.Status(); st.Code != seen || st.Clean || st.Claimed != (seen != 1006) || st.Failure != nil {
			t.Errorf("%d: %+v", claimed, st)
		}
	}
	// An answer that was never handed over is no clean end.
	client, server := pair(t, Options{}, Options{})
	out, err := client.Close(4000, "bye")
	if err != nil {
		t.Fatal(err)
	}
	server.Receive(false, out.Send[0].Data)
	server.TransportClosed(1006)
	if st := server.Status(); st.Clean || st.Code != 1006 {
		t.Fatalf("%+v", st)
	}
}
