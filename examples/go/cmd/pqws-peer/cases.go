package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"example.com/pqws/pqws"
)

var cases = []testCase{
	{"text", func(p *peer) error { return p.echo(text("hello")) }},
	{"text-unicode", func(p *peer) error {
		return p.echo(text("Grüße, 世界 👋 \u0000 e\u0301"), text("\ufeffwith a byte-order mark"))
	}},
	{"binary", func(p *peer) error {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		return p.echo(binary(all), binary([]byte{1, 0, 0}))
	}},
	{"sizes", sizes},
	{"batch-received", batchReceived},
	{"batch-sent", batchSent},
	{"update-received", updateReceived},
	{"update-sent", updateSent},
	{"update-both", updateBoth},
	{"padding", padding},
	{"exporter", exporter},
	{"transcript-hash", func(p *peer) error {
		return p.ask("!hash", hex.EncodeToString(p.TranscriptHash()))
	}},
	{"close-own", closeOwn(4321, "bye é", 4321)},
	{"close-peer", closePeer("!close 4000 why", 4000, "why")},
	{"close-empty", func(p *peer) error {
		if err := closeOwn(0, "", 1005)(p); err != nil {
			return err
		}
		other, err := p.dial()
		if err != nil {
			return err
		}
		return closePeer("!close 0", 1005, "")(other)
	}},
}

func text(s string) pqws.Message   { return pqws.Message{Text: true, Data: []byte(s)} }
func binary(b []byte) pqws.Message { return pqws.Message{Data: b} }

func (p *peer) expect(want pqws.Message) error {
	got, err := p.Read()
	if err != nil {
		return err
	}
	if got.Text != want.Text || !bytes.Equal(got.Data, want.Data) {
		return fmt.Errorf("got text %t, %d bytes; want text %t, %d bytes", got.Text, len(got.Data), want.Text, len(want.Data))
	}
	return nil
}

func (p *peer) echo(messages ...pqws.Message) error {
	for _, m := range messages {
		if err := p.Send(m); err != nil {
			return err
		}
		if err := p.expect(m); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) ask(command, answer string) error {
	if err := p.SendText(command); err != nil {
		return err
	}
	return p.expect(text(answer))
}

func sizes(p *peer) error {
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte('a' + (i*7+i/251)%26) // no period that a lost or doubled block could hide behind
		}
		if err := p.echo(text(string(data)), binary(data)); err != nil {
			return fmt.Errorf("%d bytes: %w", size, err)
		}
	}
	return nil
}

// records fails unless exactly n records with messages have come since.
func (p *peer) records(since pqws.Stats, n uint64) error {
	if got := p.Stats().ReceivedMessageRecords - since.ReceivedMessageRecords; got != n {
		return fmt.Errorf("%d records received, want %d", got, n)
	}
	return nil
}

func batchReceived(p *peer) error {
	since := p.Stats()
	if err := p.SendText("!batch 100"); err != nil {
		return err
	}
	for i := range 100 {
		if err := p.expect(text(fmt.Sprintf("batch %d", i))); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	if err := p.records(since, 1); err != nil {
		return err
	}
	if err := p.SendText("!mixed"); err != nil {
		return err
	}
	for _, m := range mixed() {
		if err := p.expect(m); err != nil {
			return err
		}
	}
	return p.records(since, 2)
}

func batchSent(p *peer) error {
	messages := append(mixed(), text("é"), binary(make([]byte, 5000)))
	since := p.Stats().SentMessageRecords
	if err := p.SendBatch(messages); err != nil {
		return err
	}
	if p.Stats().SentMessageRecords != since+1 {
		return errors.New("not sent as one record")
	}
	for _, m := range messages {
		if err := p.expect(m); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) updates(sent, received uint64) error {
	if st := p.Stats(); st.SentUpdates != sent || st.ReceivedUpdates != received {
		return fmt.Errorf("%d updates sent and %d received, want %d and %d", st.SentUpdates, st.ReceivedUpdates, sent, received)
	}
	return nil
}

func updateReceived(p *peer) error {
	for range 3 {
		if err := p.ask("!update", "updated"); err != nil {
			return err
		}
		if err := p.echo(text("after the update")); err != nil {
			return err
		}
	}
	return p.updates(0, 3)
}

func updateSent(p *peer) error {
	for range 3 {
		p.Update()
		if err := p.echo(text("first of the epoch"), binary([]byte("second"))); err != nil {
			return err
		}
	}
	return p.updates(3, 0)
}

// updateBoth keeps two messages under way, so that the updates of both directions cross.
func updateBoth(p *peer) error {
	const rounds = 50
	for i := range rounds {
		message := text(fmt.Sprintf("round %d", i))
		p.Update()
		if err := p.SendText("!update"); err != nil {
			return err
		}
		p.Update()
		if err := p.Send(message); err != nil {
			return err
		}
		if err := p.expect(text("updated")); err != nil {
			return err
		}
		if err := p.expect(message); err != nil {
			return err
		}
	}
	return p.updates(2*rounds, rounds)
}

func padding(p *peer) error {
	own := []pqws.Padding{p.options.Padding, 1, 64, 65536, pqws.Padme, 0}
	for _, padding := range own {
		if err := p.SetPadding(padding); err != nil {
			return err
		}
		if err := p.echo(text(""), binary([]byte{1, 0}), binary(make([]byte, 1000))); err != nil {
			return fmt.Errorf("own padding %d: %w", padding, err)
		}
	}
	for _, c := range []struct {
		command string
		inner   map[int]int // of a message's length, with 'padded' among them
	}{
		{"!pad 64", map[int]int{0: 64, 63: 64, 64: 128, 6: 64}},
		{"!pad padme", map[int]int{0: 1, 200: 208, 999: 1024, 6: 7}},
		{"!pad 0", map[int]int{0: 1, 63: 64, 64: 65, 6: 7}},
	} {
		if err := p.ask(c.command, "padded"); err != nil {
			return err
		}
		if got := p.Stats().LastInner; got != c.inner[len("padded")] {
			return fmt.Errorf("%s: inner of %d bytes", c.command, got)
		}
		for size, inner := range c.inner {
			if err := p.echo(binary(make([]byte, size))); err != nil {
				return fmt.Errorf("%s: %w", c.command, err)
			}
			if got := p.Stats().LastInner; got != inner {
				return fmt.Errorf("%s: inner of %d bytes for %d of content", c.command, got, size)
			}
		}
	}
	return nil
}

func exporter(p *peer) error {
	for _, c := range []struct {
		label string
		size  int
	}{{"interop", 32}, {"interop", 16}, {"Schlüssel 🔑", 1000}} {
		key, err := p.ExportKey(c.label, c.size)
		if err != nil {
			return err
		}
		if err := p.ask(fmt.Sprintf("!export %s %d", c.label, c.size), hex.EncodeToString(key)); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) ended(st pqws.CloseStatus, code uint16, reason string) error {
	if !st.Clean || st.Crossed || st.Code != code || st.Reason != reason {
		return fmt.Errorf("ended with %d, clean %t, crossed %t, transport %d", st.Code, st.Clean, st.Crossed, p.TransportCode())
	}
	if p.TransportCode() != 1000 {
		return fmt.Errorf("transport closed with %d", p.TransportCode())
	}
	return nil
}

func closeOwn(code uint16, reason string, seen uint16) func(*peer) error {
	return func(p *peer) error {
		if err := p.echo(text("before the close")); err != nil {
			return err
		}
		st, err := p.Close(code, reason)
		if err != nil {
			return err
		}
		return p.ended(st, seen, reason)
	}
}

func closePeer(command string, code uint16, reason string) func(*peer) error {
	return func(p *peer) error {
		if err := p.SendText(command); err != nil {
			return err
		}
		if m, err := p.Read(); err == nil {
			return fmt.Errorf("a message of %d bytes instead of the close", len(m.Data))
		}
		return p.ended(p.Status(), code, reason)
	}
}
