package pqws

import (
	"testing"
	"time"
)

func TestHeartbeat(t *testing.T) {
	now := time.Unix(0, 0)
	policy := HeartbeatPolicy{Interval: 30 * time.Second, Timeout: 10 * time.Second}
	options := Options{Heartbeat: policy, Now: func() time.Time { return now }}
	fresh := func() (*line, *Session) {
		l := newLine(t, options, Options{})
		l.settle()
		return l, l.ends[0]
	}
	tick := func(l *line, after time.Duration) Output {
		now = now.Add(after)
		out := l.ends[0].Tick()
		if !out.Terminate {
			l.take(0, out)
		}
		return out
	}

	l, s := fresh()
	for range 3 { // a live peer answers for ever
		if out := tick(l, policy.Interval-1); len(out.Send) != 0 {
			t.Fatal("a ping before it is due")
		}
		if out := tick(l, 1); len(out.Send) != 1 {
			t.Fatal("no ping")
		}
		l.settle()
		l.send(1, "alive")
		l.settle()
	}

	l, s = fresh()
	tick(l, policy.Interval)
	l.underWay[0] = nil // the peer is gone
	if out := tick(l, policy.Timeout-1); out.Terminate {
		t.Fatal("too early")
	}
	if out := tick(l, 1); !out.Terminate || out.Close != 0 {
		t.Fatalf("%+v", out)
	}
	if st := s.Status(); st.Code != codeAbnormal || st.Clean || st.Failure == nil || s.State() != Failed {
		t.Fatalf("%+v", st)
	}

	// Late by more than a second: the process slept, and has not read what came.
	l, s = fresh()
	tick(l, policy.Interval)
	if out := tick(l, policy.Timeout+lateTimer+1); out.Terminate || s.State() != Open {
		t.Fatal("a process that slept gives its peer up")
	}
	if out := tick(l, policy.Timeout); !out.Terminate {
		t.Fatal("the second time counts")
	}

	// What this end sends is still on its way through the transport.
	l, s = fresh()
	tick(l, policy.Interval)
	now = now.Add(policy.Timeout - 1)
	s.Excuse()
	if out := tick(l, policy.Timeout-1); out.Terminate {
		t.Fatal("too early")
	}

	for _, wrong := range []HeartbeatPolicy{{Interval: 1}, {Timeout: 1}, {Interval: -1, Timeout: -1}} {
		if _, err := NewServer(Options{Heartbeat: wrong}); err == nil {
			t.Errorf("%+v is taken", wrong)
		}
	}
}

// TestOnePongWaits: what the transport holds up is answered once, by the last.
func TestOnePongWaits(t *testing.T) {
	client, server := pair(t, Options{}, Options{})
	client.Drained()
	server.Drained()
	var pings [][]byte
	for _, data := range []string{"one", "two", "three"} {
		_, out, err := client.Ping([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		pings = append(pings, out.Send[0].Data)
	}
	sendOK(t, server, "blocked") // and not drained
	for _, ping := range pings {
		if out := must(t, server.Receive(false, ping)); len(out.Send) != 0 {
			t.Fatal("a pong goes before what waits")
		}
	}
	server.out.seq-- // the message of above is not delivered here
	out := server.Drained()
	if len(out.Send) != 1 {
		t.Fatalf("%d pongs", len(out.Send))
	}
	if got := must(t, client.Receive(false, out.Send[0].Data)); got.Ponged != 3 {
		t.Fatalf("the pong of the last answers all before: %d", got.Ponged)
	}
	if len(client.heartbeat.asked) != 0 {
		t.Error("a ping is still asked for")
	}
	if _, _, err := client.Ping(make([]byte, maxPing+1)); err == nil {
		t.Error("a ping of 126 bytes")
	}
	if _, err := client.Close(1000, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Ping(nil); err == nil {
		t.Error("a ping after the close")
	}
}
