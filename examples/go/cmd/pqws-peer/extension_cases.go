package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// The cases of the extensions, which run where the command line names them.

var kemCases = []testCase{
	{"kem", func(p *peer) error { return p.ask("!kem", string(p.KEM())) }},
}

var identityCases = []testCase{
	{"peer-key", func(p *peer) error {
		return p.ask("!peer-key", fmt.Sprintf("%x", sha256.Sum256(p.options.PublicKey)))
	}},
}

var heartbeatCases = []testCase{
	{"ping-own", pingOwn},
	{"ping-peer", func(p *peer) error {
		for _, data := range []string{"", " x", " " + string(make([]byte, 100))} {
			if err := p.ask("!ping"+data, "ponged"); err != nil {
				return err
			}
		}
		return p.echo(text("after the pings"))
	}},
}

var exchangeCases = []testCase{
	{"exchange-own", exchangeOwn},
	{"exchange-peer", exchangePeer},
	{"exchange-both", exchangeBoth},
	{"exchange-timer", exchangeTimer},
	{"exchange-close", exchangeClose},
	{"exchange-close-peer", exchangeClosePeer},
	{"exchange-exporter", exchangeExporter},
}

func pingOwn(p *peer) error {
	for size := range 126 {
		if err := p.Ping(context.Background(), make([]byte, size)); err != nil {
			return fmt.Errorf("%d bytes: %w", size, err)
		}
	}
	return p.echo(text("after the pings"))
}

// sameGeneration compares. The server's end of an exchange stands before the question, in the order of records.
func (p *peer) sameGeneration() error {
	return p.ask("!generation", strconv.FormatUint(p.Generation(), 10))
}

func exchangeOwn(p *peer) error {
	for range 3 {
		before := p.Generation()
		if err := p.Exchange(context.Background()); err != nil {
			return err
		}
		if p.Generation() <= before {
			return fmt.Errorf("generation %d after %d", p.Generation(), before)
		}
		if err := p.echo(text("in the new generation")); err != nil {
			return err
		}
		p.Update()
		if err := p.echo(text("after an update in it")); err != nil {
			return err
		}
		if err := p.ask("!update", "updated"); err != nil {
			return err
		}
	}
	return p.settled()
}

// settled asks until an exchange of either end's clock does not come between question and answer.
func (p *peer) settled() error {
	var err error
	for range 20 {
		if err = p.sameGeneration(); err == nil {
			return nil
		}
	}
	return err
}

func exchangePeer(p *peer) error {
	for range 3 {
		before := p.Generation()
		if err := p.ask("!exchange", "exchanged"); err != nil {
			return err
		}
		if p.Generation() <= before {
			return fmt.Errorf("generation %d after %d", p.Generation(), before)
		}
	}
	return p.settled()
}

// exchangeBoth has messages, updates and exchanges of both ends under way at once.
func exchangeBoth(p *peer) error {
	const rounds = 4 // within what an end allows at once: no case waits ten seconds for the next
	exchanged := make(chan error, 1)
	go func() {
		for range rounds {
			if err := p.Exchange(context.Background()); err != nil {
				exchanged <- err
				return
			}
		}
		exchanged <- nil
	}()
	if err := p.SendText("!exchange"); err != nil {
		return err
	}
	// An end's own answer comes when it comes, the echoes in their order.
	told, over := false, false
	for i := 0; !told || !over; i++ {
		select {
		case err := <-exchanged:
			if err != nil {
				return err
			}
			over = true
		default:
		}
		p.Update()
		message := text(fmt.Sprintf("message %d", i))
		if err := p.Send(message); err != nil {
			return err
		}
		got, err := p.Read()
		if err == nil && string(got.Data) == "exchanged" {
			told = true
			got, err = p.Read()
		}
		if err != nil {
			return err
		}
		if string(got.Data) != string(message.Data) {
			return fmt.Errorf("message %d came back as %q", i, got.Data)
		}
	}
	if p.Generation() < rounds {
		return fmt.Errorf("generation %d", p.Generation())
	}
	return p.settled()
}

// exchangeTimer only talks: the clock of either end does the rest.
func exchangeTimer(p *peer) error {
	if p.options.Exchange.After > time.Second {
		return p.echo(text("it would take too long"))
	}
	for i := 0; p.Generation() < 3; i++ {
		if err := p.echo(text(strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return p.settled()
}

func exchangeClose(p *peer) error {
	go func() { _ = p.Exchange(context.Background()) }() // the close below overtakes it
	st, err := p.Close(4321, "bye")
	if err != nil {
		return err
	}
	return p.ended(st, 4321, "bye")
}

// exchangeClosePeer has the server close in an exchange that it has asked for, or right behind it.
func exchangeClosePeer(p *peer) error {
	if err := p.SendText("!exchange"); err != nil {
		return err
	}
	if err := p.SendText("!close 4000 why"); err != nil {
		return err
	}
	if m, err := p.Read(); err == nil && string(m.Data) != "exchanged" {
		return fmt.Errorf("a message of %d bytes instead of the close", len(m.Data))
	} else if err == nil {
		if _, err := p.Read(); err == nil {
			return errors.New("a message instead of the close")
		}
	}
	return p.ended(p.Status(), 4000, "why")
}

// exchangeExporter: exports stay the handshake's.
func exchangeExporter(p *peer) error {
	before, err := p.ExportKey("interop", 32)
	if err != nil {
		return err
	}
	hash := p.TranscriptHash()
	if err := p.Exchange(context.Background()); err != nil {
		return err
	}
	after, err := p.ExportKey("interop", 32)
	if err != nil {
		return err
	}
	if string(before) != string(after) || string(hash) != string(p.TranscriptHash()) {
		return fmt.Errorf("exports or the transcript hash have changed")
	}
	if err := p.ask("!export interop 32", fmt.Sprintf("%x", after)); err != nil {
		return err
	}
	return p.ask("!hash", fmt.Sprintf("%x", hash))
}
