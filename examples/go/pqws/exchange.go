package pqws

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
)

// ErrNoExchange is returned where the peer does not know exchanges, or one of the ends has turned them off.
var ErrNoExchange = errors.New("pqws: exchanges are off in this connection")

// A step is where an end stands in an exchange.
type step int

const (
	stepNone          step = iota
	stepOffered            // a client: its offer is sent
	stepAnswered           // a client: the answer has come, and the next record is Finished(server)
	stepMaking             // a server: it signs and attests what it will send
	stepAwaitingEnd        // a server: its answer and Finished are sent
	stepAwaitingFinal      // a server: end has come, and the next record is Finished(client)
	stepVerifying          // either end, the peer's Finished
)

// An exchange is the state of all exchanges of a connection.
type exchange struct {
	step       step
	generation uint64
	since      time.Time // when the generation began here
	wanted     bool      // a server: sent, and no offer has come since
	again      bool      // asked for during an exchange, which may have begun before what it is to heal
	wait       wait      // for the peer, or for this end's own work

	th   []byte // of the newest generation derived
	root []byte // its secret, until the next exchange

	key   decapsulationKey // a client's, between its offer and the answer
	offer []byte           // likewise

	in, out *direction // of the newest generation, until they are used
}

func (x *exchange) destroy() {
	clear(x.root)
	for _, d := range []*direction{x.in, x.out} {
		if d != nil {
			d.destroy()
		}
	}
	*x = exchange{generation: x.generation}
}

// Generation counts the exchanges that have completed at this end.
func (s *Session) Generation() uint64 { return s.exchange.generation }

// RequestExchange asks for an exchange that begins from now on: one that is under way may have begun before a theft. It
// has completed when Generation has reached target.
func (s *Session) RequestExchange() (target uint64, out Output, err error) {
	x := &s.exchange
	switch {
	case s.state != Open:
		return 0, Output{}, ErrNotOpen
	case !s.features.exchange:
		return 0, Output{}, ErrNoExchange
	case x.step != stepNone:
		x.again = true
		return x.generation + 2, Output{}, nil
	}
	target = x.generation + 1
	frames, err := s.beginExchange()
	if err != nil {
		return target, s.fail(err), nil
	}
	return target, Output{Send: frames}, nil
}

// beginExchange sends a client's offer, or the server's word that it wants one.
func (s *Session) beginExchange() ([]TransportMessage, error) {
	x := &s.exchange
	if !s.client {
		if x.wanted {
			return nil, nil // once, until an offer comes
		}
		x.wanted = true
		x.wait.begin()
		return s.sealRecord(kindExchangeWanted, nil)
	}
	key, err := s.options.generate(s.scheme)
	if err != nil {
		return nil, err
	}
	x.key, x.offer, x.step = key, key.encapsulationKey(), stepOffered
	x.wait.begin()
	return s.sealRecord(kindExchangeOffer, x.offer)
}

// receiveExchange judges the state first, then the content (section 7.6). Who has sent a close follows the exchange
// that is under way, so as to open what still comes, and begins none.
func (s *Session) receiveExchange(kind byte, content []byte) (Output, error) {
	x := &s.exchange
	switch {
	case kind == kindExchangeWanted && s.client:
		if len(content) > 0 {
			return Output{}, refuse(CodeViolation, "exchange wanted with content")
		}
		if x.step != stepNone || s.state != Open {
			return Output{}, nil // an offer under way is the answer
		}
		frames, err := s.beginExchange()
		return Output{Send: frames}, err
	case kind == kindExchangeOffer && !s.client && x.step == stepNone:
		return s.takeOffer(content)
	case kind == kindExchangeAnswer && s.client && x.step == stepOffered:
		return Output{}, s.takeAnswer(content)
	case kind == kindExchangeEnd && !s.client && x.step == stepAwaitingEnd:
		if len(content) > 0 {
			return Output{}, refuse(CodeViolation, "exchange end with content")
		}
		s.in.replace(x.in)
		x.in, x.step = nil, stepAwaitingFinal
		return Output{}, nil
	}
	return Output{}, refuse(CodeViolation, "a record of an exchange from the wrong side or in another state")
}

// takeOffer is the server's part: answer under its old epoch, Finished under its new one. Its records go on in the old
// epoch while it works.
func (s *Session) takeOffer(offer []byte) (Output, error) {
	x := &s.exchange
	if len(offer) != s.scheme.keySize {
		return Output{}, refuse(CodeViolation, "exchange offer of a wrong length")
	}
	key, err := s.scheme.parse(offer)
	if err != nil {
		return Output{}, refuse(CodeViolation, "exchange offer fails the key's check")
	}
	if s.state != Open {
		return Output{}, nil // after a close
	}
	ss, answer, err := s.options.encapsulate(s.scheme, key)
	if err != nil {
		return Output{}, refuse(CodeViolation, "exchange offer fails the key's check")
	}
	x.wanted, x.step = false, stepMaking
	s.startWork()
	x.in, x.out = s.deriveGeneration(offer, answer, ss)
	th := x.th
	var content []byte
	return s.begin(s.options.Identity != nil || s.options.Attest != nil, func() (err error) {
		content, err = s.serverProofs(inExchange, th)
		return err
	}, func() (Output, error) {
		if err := s.checkWork(); err != nil {
			return Output{}, err
		}
		frames, err := s.enterGeneration(kindExchangeAnswer, answer, content)
		x.step = stepAwaitingEnd
		x.wait.begin()
		return Output{Send: frames}, err
	})
}

// enterGeneration sends the last record of the sender's old generation and the first of its new one, back to back.
func (s *Session) enterGeneration(kind byte, content, finished []byte) ([]TransportMessage, error) {
	last, err := s.sealNow(kind, content)
	if err != nil {
		return nil, err
	}
	s.out.replace(s.exchange.out)
	s.exchange.out = nil
	first, err := s.sealNow(kindFinished, finished)
	return []TransportMessage{{Data: last}, {Data: first}}, err
}

// takeAnswer goes to the server's new epoch, whose first record is Finished.
func (s *Session) takeAnswer(answer []byte) error {
	x := &s.exchange
	if len(answer) != s.scheme.ciphertextSize {
		return refuse(CodeViolation, "exchange answer of a wrong length")
	}
	ss, err := x.key.decapsulate(answer)
	if err != nil {
		return refuse(CodeViolation, "exchange answer fails the ciphertext's check")
	}
	client, server := s.deriveGeneration(x.offer, answer, ss)
	x.key, x.offer = nil, nil
	s.in.replace(server)
	x.out, x.step = client, stepAnswered
	return nil
}

// finishExchange takes the content of the peer's Finished. While a client verifies it, it opens and delivers the
// server's new epoch, and sends in its own old one; at a server, what follows waits.
func (s *Session) finishExchange(content []byte) (Output, error) {
	x := &s.exchange
	x.step = stepNone
	x.wait.end()
	finished, err := parseFinished(content)
	if err != nil || s.state != Open {
		return Output{}, err // after a close its members are not judged, and nothing is sent
	}
	x.step = stepVerifying
	s.startWork()
	th := x.th
	if !s.client {
		return s.begin(s.features.clientIdentity, func() error {
			_, err := s.verifyClient(inExchange, th, finished)
			return err
		}, func() (Output, error) { return s.completeExchange(Output{}) })
	}
	var proof []byte
	return s.begin(s.asksServer() || s.features.clientIdentity, func() error {
		_, err := s.verifyServer(inExchange, th, finished)
		if err == nil {
			proof, err = s.clientProofs(inExchange, th)
		}
		return err
	}, func() (Output, error) {
		if err := s.checkWork(); err != nil {
			return Output{}, err
		}
		frames, err := s.enterGeneration(kindExchangeEnd, nil, proof)
		if err != nil {
			return Output{}, err
		}
		return s.completeExchange(Output{Send: frames})
	})
}

// completeExchange is the end of an exchange here, and the beginning of one that was asked for meanwhile.
func (s *Session) completeExchange(out Output) (Output, error) {
	x := &s.exchange
	if err := s.checkWork(); err != nil {
		return Output{}, err
	}
	x.step = stepNone
	x.wait.end()
	x.generation++
	x.since = s.options.Now()
	if !x.again {
		return out, nil
	}
	x.again = false
	frames, err := s.beginExchange()
	out.Send = append(out.Send, frames...)
	return out, err
}

// deriveGeneration makes the directions of the next generation and destroys what they come from.
func (s *Session) deriveGeneration(offer, answer, ss []byte) (client, server *direction) {
	x, now := &s.exchange, s.options.Now()
	th := exchangeTranscriptHash(x.th, offer, answer)
	seed := exchangeSeed(th, x.root, ss)
	client, server = newDirection("client", th, seed, now), newDirection("server", th, seed, now)
	clear(x.root)
	clear(ss)
	x.th, x.root = th, expand(th, seed, prefix+rootLabel, 32)
	clear(seed)
	return client, server
}

// exchangeTranscriptHash binds a generation to the one before and to what has made it.
func exchangeTranscriptHash(th, offer, answer []byte) []byte {
	input := append([]byte(prefix+"exchange transcript"), th...)
	for _, part := range [][]byte{offer, answer} {
		input = binary.BigEndian.AppendUint32(input, uint32(len(part)))
		input = append(input, part...)
	}
	sum := sha256.Sum256(input)
	return sum[:]
}

func exchangeSeed(th, root, ss []byte) []byte {
	secret := append(append(make([]byte, 0, len(root)+len(ss)), root...), ss...)
	defer clear(secret)
	return expand(th, secret, prefix+"exchange seed", 32)
}

// startWork starts the clock of this end's own work, and checkWork reads it once more, for functions within which no
// timer can fire.
func (s *Session) startWork() {
	s.exchange.wait = wait{on: true, deadline: s.options.Now().Add(s.options.Exchange.Timeout)}
}

func (s *Session) checkWork() error {
	if !s.options.Now().Before(s.exchange.wait.deadline) {
		return refuse(CodeTimeout, "the exchange takes too long")
	}
	return nil
}

// exchangeTimer is when an exchange begins, or has taken too long.
func (s *Session) exchangeTimer() time.Time {
	x := &s.exchange
	switch {
	case !s.features.exchange:
		return time.Time{}
	case x.step != stepNone || x.wanted:
		return x.wait.deadline
	}
	return x.since.Add(s.options.Exchange.After)
}

func (s *Session) expireExchange() (Output, error) {
	if s.exchange.step != stepNone || s.exchange.wanted {
		return Output{}, refuse(CodeTimeout, "the exchange takes too long")
	}
	frames, err := s.beginExchange()
	return Output{Send: frames}, err
}
