package pqws

import (
	"bytes"
	"testing"
)

// TestRecordsOpen receives the whole conversation; TestRecordsSeal makes it, byte for byte.
func TestRecordsOpen(t *testing.T) {
	v := loadVectors(t)
	for to, records := range map[string][]vectorRecord{"server": v.ClientRecords, "client": v.ServerRecords} {
		s := v.afterHellos(t, to, v.fixed(t, &nonces{}))
		for i, r := range records {
			if uint64(i) != r.Seq || s.in.seq != r.Seq || s.in.updates != r.Epoch || !bytes.Equal(s.in.key, r.Key) {
				t.Fatalf("%s: seq, epoch or key differs", r.Name)
			}
			inner, err := s.in.open(r.Frame)
			if err != nil || !bytes.Equal(inner, r.Inner) {
				t.Fatalf("%s: does not open to inner", r.Name)
			}
			s.in.seq, s.in.records = s.in.seq-1, s.in.records-1
			if kind, content := splitInner(inner); kind != r.Kind || !bytes.Equal(content, r.Content) {
				t.Fatalf("%s: kind or content differs", r.Name)
			}
			if r.Kind == kindCloseAnswer {
				if _, err := s.Close(4001, "done"); err != nil {
					t.Fatal(err)
				}
			}
			out := s.Receive(false, r.Frame)
			sameMessages(t, out.Messages, r.Delivers)
			if r.Kind == kindClose || r.Kind == kindCloseAnswer {
				if out.Close != codeNormal || s.State() != Finishing {
					t.Fatalf("%s: closes with %d", r.Name, out.Close)
				}
				s.Drained()
				if st := s.Status(); s.State() != Ended || !st.Clean || st.Crossed || st.Code != 4001 || st.Reason != "done" {
					t.Fatalf("%s: %+v", r.Name, st)
				}
			} else {
				must(t, out)
			}
		}
	}
}

func TestRecordsSeal(t *testing.T) {
	v := loadVectors(t)
	for _, records := range [][]vectorRecord{v.ClientRecords, v.ServerRecords} {
		from, finished := "client", v.Session.ServerFinished
		if records[0].From == "server" {
			from, finished = "server", v.Session.ClientFinished
		}
		s := start(t, from, v.fixed(t, (&nonces{}).add(records...)))
		var sent []TransportMessage
		if from == "client" {
			must(t, s.Receive(true, []byte(v.Session.ServerHello)))
			sent = must(t, s.Receive(false, finished.Frame)).Send
		} else {
			sent = must(t, s.Receive(true, []byte(v.Session.ClientHello))).Send
			if !sent[0].Text || string(sent[0].Data) != v.Session.ServerHello {
				t.Fatal("ServerHello differs")
			}
			sent = sent[1:]
			if len(records) < 2 || records[1].Name != "text, which a server may send before Finished(client)" {
				t.Fatal("the vectors have changed: this test sends record 1 before Finished(client)")
			}
		}
		for i, r := range records[1:] {
			if from == "server" && i == 1 {
				must(t, s.Receive(false, finished.Frame))
			}
			sent = append(sent, send(t, s, r).Send...)
		}
		if len(sent) != len(records) {
			t.Fatalf("%d records sealed of %d", len(sent), len(records))
		}
		for i, r := range records {
			if sent[i].Text || !bytes.Equal(sent[i].Data, r.Frame) {
				t.Errorf("%s, %s: frame differs", from, r.Name)
			}
		}
	}
}

// send makes the session send what the record holds. The vectors' batch of one, which no sender sends, and padding
// are set below the application's interface; an update goes out with the record that follows it.
func send(t *testing.T, s *Session, r vectorRecord) Output {
	t.Helper()
	length := len(r.Content) + 1 + r.Padding
	s.options.Padding = Padding(0)
	if r.Padding > 0 {
		s.options.Padding = Padding(length)
	}
	switch r.Kind {
	case kindUpdate:
		frame, err := s.sealNow(kindUpdate, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.out.advance(s.options.Now())
		return Output{Send: []TransportMessage{{Data: frame}}}
	case kindClose:
		code, reason, err := parseClose(r.Content)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Close(code, reason)
		if err != nil {
			t.Fatal(err)
		}
		return out
	case kindCloseAnswer:
		v := loadVectors(t)
		for _, c := range v.ClientRecords[1 : len(v.ClientRecords)-1] {
			must(t, s.Receive(false, c.Frame))
		}
		return s.Receive(false, v.ClientRecords[len(v.ClientRecords)-1].Frame)
	case kindBatch:
		messages, err := parseBatch(r.Content)
		if err != nil {
			t.Fatal(err)
		}
		if len(messages) > 1 {
			out, err := s.SendBatch(messages)
			if err != nil {
				t.Fatal(err)
			}
			return must(t, out)
		}
		out, err := s.sendRecord(kindBatch, r.Content)
		if err != nil {
			t.Fatal(err)
		}
		return must(t, out)
	}
	out, err := s.Send(Message{Text: r.Kind == kindText, Data: r.Content})
	if err != nil {
		t.Fatal(err)
	}
	return must(t, out)
}

func TestEndings(t *testing.T) {
	v := loadVectors(t)
	other := map[string]string{"client": "server", "server": "client"}
	for _, c := range v.Endings {
		t.Run(c.Name, func(t *testing.T) {
			own := func(r vectorRecord) Options {
				draws := &nonces{}
				draws.Write(make([]byte, nonceSize)) // its Finished's, which is not compared
				options := v.fixed(t, draws.add(r))
				if r.Padding > 0 {
					options.Padding = Padding(len(r.Content) + 1 + r.Padding)
				}
				return options
			}
			a, b := v.afterFinished(t, c.By, own(c.Close)), v.afterFinished(t, other[c.By], own(c.Answer))
			code := c.Code
			if code == codeNoStatus {
				code = 0
			}
			out, err := a.Close(code, c.Reason)
			if err != nil || len(out.Send) != 1 || !bytes.Equal(out.Send[0].Data, c.Close.Frame) {
				t.Fatalf("close differs (%v)", err)
			}
			if _, err := a.Send(Message{}); err != ErrNotOpen {
				t.Error("sends after its close")
			}
			answer := b.Receive(false, c.Close.Frame)
			if len(answer.Send) != 1 || !bytes.Equal(answer.Send[0].Data, c.Answer.Frame) || answer.Close != codeNormal {
				t.Fatal("answer differs")
			}
			if end := a.Receive(false, c.Answer.Frame); end.Close != codeNormal || len(end.Send) != 0 {
				t.Fatalf("after the answer: %+v", end)
			}
			for _, s := range []*Session{a, b} {
				s.Drained()
				if st := s.Status(); st.Code != c.Code || st.Reason != c.Reason || !st.Clean || st.Crossed {
					t.Errorf("sees %+v", st)
				}
			}
		})
	}
}

func TestCrossings(t *testing.T) {
	v := loadVectors(t)
	for _, c := range v.Crossings {
		for _, end := range []struct {
			to       string
			own, its vectorRecord
			sees     vectorSees
		}{{"client", c.Client, c.Server, c.ClientSees}, {"server", c.Server, c.Client, c.ServerSees}} {
			s := v.afterFinished(t, end.to, v.fixed(t, &nonces{}))
			code, reason, err := parseClose(end.own.Content)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Close(code, reason); err != nil {
				t.Fatal(err)
			}
			out := s.Receive(false, end.its.Frame)
			if out.Close != codeNormal || len(out.Send) != 0 {
				t.Fatalf("%s: %+v", end.to, out)
			}
			s.Drained()
			if st := s.Status(); st.Code != end.sees.Code || st.Reason != end.sees.Reason || !st.Clean || !st.Crossed {
				t.Errorf("%s sees %+v", end.to, st)
			}
		}
	}
}

func TestCloseCodes(t *testing.T) {
	v := loadVectors(t)
	for want, codes := range map[bool][]uint16{true: v.AcceptedCloseCodes, false: v.RefusedCloseCodes} {
		for _, code := range codes {
			content := []byte{byte(code >> 8), byte(code)}
			if _, _, err := parseClose(content); (err == nil) != want {
				t.Errorf("a received close with %d: %v", code, err)
			}
			if code == 0 {
				continue // Close's word for an empty close
			}
			if _, err := makeClose(code, ""); (err == nil) != want {
				t.Errorf("an own close with %d: %v", code, err)
			}
		}
	}
}
