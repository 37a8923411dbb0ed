package pqws

import (
	"testing"
	"time"
)

// What the vectors leave out: limits that take too long to reach, timers, and who may call what when.

func pair(t testing.TB, clientOptions, serverOptions Options) (client, server *Session) {
	t.Helper()
	client, server = start(t, "client", clientOptions), start(t, "server", serverOptions)
	reply := must(t, server.Receive(true, client.ClientHello()))
	must(t, client.Receive(true, reply.Send[0].Data))
	finished := must(t, client.Receive(false, reply.Send[1].Data))
	must(t, server.Receive(false, finished.Send[0].Data))
	return client, server
}

func sendOK(t testing.TB, s *Session, text string) Output {
	t.Helper()
	out, err := s.Send(Message{Text: true, Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// deliver gives all that was sent to the other end and returns the messages that came out.
func deliver(t testing.TB, to *Session, out Output) (messages []Message) {
	t.Helper()
	for _, m := range out.Send {
		messages = append(messages, must(t, to.Receive(m.Text, m.Data)).Messages...)
	}
	return messages
}

func TestSenderUpdates(t *testing.T) {
	now := time.Unix(0, 0)
	clock := func() time.Time { return now }
	for name, c := range map[string]struct {
		limits  Limits
		between func()
		updates []int // records in each output
	}{
		// Finished is record 1 of epoch 0.
		"records": {Limits{Records: 3}, func() {}, []int{1, 1, 2, 1, 1, 2}},
		// Finished has 3 bytes of inner, a message 5: the third would pass 14.
		"bytes": {Limits{Bytes: 14}, func() {}, []int{1, 1, 2, 1, 2, 1}},
		"age":   {Limits{Age: time.Minute}, func() { now = now.Add(31 * time.Second) }, []int{1, 2, 1, 2, 1, 2}},
		// Smaller than one record: an epoch with nothing in it is not left.
		"tiny": {Limits{Bytes: 1}, func() {}, []int{2, 2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, Options{UpdateAfter: c.limits, Now: clock}, Options{})
			updates := uint64(0)
			for i, want := range c.updates {
				c.between()
				out := sendOK(t, client, "abcd")
				if len(out.Send) != want {
					t.Fatalf("message %d: %d records, want %d", i, len(out.Send), want)
				}
				updates += uint64(want - 1)
				if got := deliver(t, server, out); len(got) != 1 || string(got[0].Data) != "abcd" {
					t.Fatalf("message %d did not arrive", i)
				}
			}
			if st := server.Stats(); st.ReceivedUpdates != updates || st.SentUpdates != 0 || updates == 0 {
				t.Fatalf("%d updates, %+v", updates, st)
			}
		})
	}
}

func TestUpdateOnRequest(t *testing.T) {
	client, server := pair(t, Options{}, Options{})
	for range 3 {
		client.Update()
		client.Update()
		out := sendOK(t, client, "x")
		if len(out.Send) != 2 {
			t.Fatalf("%d records", len(out.Send))
		}
		deliver(t, server, out)
	}
	// A close needs no update, though one is due.
	client.Update()
	out, err := client.Close(0, "")
	if err != nil || len(out.Send) != 1 {
		t.Fatalf("%d records, %v", len(out.Send), err)
	}
	if end := server.Receive(false, out.Send[0].Data); end.Close != codeNormal {
		t.Fatalf("%+v", end)
	}
}

func TestLimitsOnlyLower(t *testing.T) {
	s := start(t, "server", Options{UpdateAfter: Limits{Records: 1 << 40, Bytes: 1 << 40, Age: 24 * time.Hour}})
	if got := s.options.UpdateAfter; got != (Limits{1<<20 - 1, 1 << 36, time.Hour}) {
		t.Fatalf("%+v", got)
	}
}

func TestReceiverEpochLimit(t *testing.T) {
	client, server := pair(t, Options{}, Options{})
	server.in.records = maxEpochRecords - 1
	deliver(t, server, sendOK(t, client, "the last that fits"))
	// Unopened: a frame that would not open has the same code.
	refused(t, server, server.Receive(false, make([]byte, minFrame)), CodeLimit)
}

func TestReceiverEpochLimitIsPerEpoch(t *testing.T) {
	client, server := pair(t, Options{}, Options{})
	server.in.records = maxEpochRecords - 1
	client.Update()
	if got := deliver(t, server, sendOK(t, client, "first of the next")); len(got) != 1 || server.in.records != 1 {
		t.Fatalf("%d records", server.in.records)
	}
}

func TestSenderRefuses(t *testing.T) {
	client, server := pair(t, Options{}, Options{})
	if _, err := client.Send(Message{Text: true, Data: []byte{0xff}}); err == nil {
		t.Error("text that is not UTF-8")
	}
	if _, err := client.SendBatch([]Message{{Data: make([]byte, maxBatch)}, {}}); err == nil {
		t.Error("a batch over 262,144 bytes")
	}
	for _, c := range []struct {
		code   uint16
		reason string
	}{{0, "reason without code"}, {1005, ""}, {4000, string(make([]byte, 124))}, {4000, "\xff"}} {
		if _, err := client.Close(c.code, c.reason); err == nil {
			t.Errorf("close %d is taken", c.code)
		}
	}
	if _, err := NewClient(Options{Context: []byte{}}); err == nil {
		t.Error("an empty context is taken")
	}
	// Nothing was sent for any of these.
	if got := deliver(t, server, sendOK(t, client, "still in step")); len(got) != 1 {
		t.Error("out of step")
	}
}

func TestBatchOfOneIsSentAlone(t *testing.T) {
	client, server := pair(t, Options{}, Options{})
	alone, err := client.SendBatch([]Message{{Data: []byte("x")}})
	if err != nil || len(alone.Send) != 1 || len(alone.Send[0].Data) != minFrame+1 {
		t.Fatalf("%v, %v", alone, err)
	}
	deliver(t, server, alone)
}

func TestFinishedIsNotPadded(t *testing.T) {
	server := start(t, "server", Options{Padding: 64})
	client := start(t, "client", Options{Padding: Padme})
	reply := must(t, server.Receive(true, client.ClientHello()))
	if size := len(reply.Send[1].Data); size != minFrame+len("{}") {
		t.Fatalf("Finished(server) has %d bytes", size)
	}
	must(t, client.Receive(true, reply.Send[0].Data))
	if out := must(t, client.Receive(false, reply.Send[1].Data)); len(out.Send[0].Data) != minFrame+len("{}") {
		t.Fatalf("Finished(client) has %d bytes", len(out.Send[0].Data))
	}
}

func TestSecretsAreOverwritten(t *testing.T) {
	var ss []byte
	server := start(t, "server", Options{encapsulate: func(_ *scheme, key encapsulationKey) ([]byte, []byte, error) {
		secret, ciphertext, err := key.encapsulate()
		ss = secret
		return secret, ciphertext, err
	}})
	client := start(t, "client", Options{})
	must(t, server.Receive(true, client.ClientHello()))
	if !allZero(ss) {
		t.Error("the shared secret is left")
	}
	key, next, exporter, root := server.out.key, server.out.next, server.exporter, server.exchange.root
	if len(root) != 32 {
		t.Error("no root, where exchanges are on")
	}
	server.out.advance(time.Time{})
	if !allZero(key) || !allZero(next) {
		t.Error("an epoch that was left is not destroyed")
	}
	server.TransportClosed(1006)
	if !allZero(server.out.key) || !allZero(server.in.next) || !allZero(exporter) || !allZero(root) {
		t.Error("keys are left after the end")
	}
}

func TestReadLimit(t *testing.T) {
	v := loadVectors(t)
	options := v.fixed(t, &nonces{})
	s := start(t, "server", options)
	if s.MaxTransportMessage() != maxHello {
		t.Error("hello")
	}
	s = v.afterFinished(t, "server", options)
	if s.MaxTransportMessage() != 262144*9/8+65536+overhead {
		t.Error("frame")
	}
	s.ExpireClose()
	s.TransportClosed(1000)
	if s.MaxTransportMessage() != 0 {
		t.Error("after the end")
	}
}
