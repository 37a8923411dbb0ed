package pqws

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
)

// ErrNoExchange is returned where the peer does not know exchanges, or one of the ends has turned them off.
var ErrNoExchange = errors.New("pqws: exchanges are off in this connection")

// A step is where an end stands in an exchange. The states making and verifying are absent: a session does both within
// one call.
type step int

const (
	stepNone          step = iota
	stepOffered            // a client: its offer is sent
	stepAnswered           // a client: the answer has come, and the next record is Finished(server)
	stepAwaitingEnd        // a server: its answer and Finished are sent
	stepAwaitingFinal      // a server: end has come, and the next record is Finished(client)
)

// An exchange is the state of all exchanges of a connection.
type exchange struct {
	step       step
	generation uint64
	since      time.Time // when the generation began here
	wanted     bool      // a server: sent, and no offer has come since
	again      bool      // asked for during an exchange, which may have begun before what it is to heal
	wait       wait      // for the peer

	th   []byte // of the newest generation derived
	root []byte // its secret, until the next exchange

	key   decapsulationKey // a client's, between its offer and the answer
	offer []byte           // likewise
	next  *direction       // the client's direction of the newest generation, until end stands before it
}

func (x *exchange) destroy() {
	clear(x.root)
	if x.next != nil {
		x.next.destroy()
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
		s.in.replace(x.next)
		x.next, x.step = nil, stepAwaitingFinal
		return Output{}, nil
	}
	return Output{}, refuse(CodeViolation, "a record of an exchange from the wrong side or in another state")
}

// takeOffer is the server's part: answer under its old epoch, Finished under its new one.
func (s *Session) takeOffer(offer []byte) (Output, error) {
	x, began := &s.exchange, s.options.Now()
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
	x.wanted = false
	x.wait.end()
	ss, answer, err := s.options.encapsulate(s.scheme, key)
	if err != nil {
		return Output{}, refuse(CodeViolation, "exchange offer fails the key's check")
	}
	client, server := s.deriveGeneration(offer, answer, ss)
	content, err := s.serverProofs(inExchange, x.th)
	if err != nil {
		return Output{}, err
	}
	if err := s.checkWork(began); err != nil {
		return Output{}, err
	}
	sealed, err := s.sealNow(kindExchangeAnswer, answer)
	if err != nil {
		return Output{}, err
	}
	s.out.replace(server)
	finished, err := s.sealNow(kindFinished, content)
	if err != nil {
		return Output{}, err
	}
	x.next, x.step = client, stepAwaitingEnd
	x.wait.begin()
	return Output{Send: []TransportMessage{{Data: sealed}, {Data: finished}}}, nil
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
	x.next, x.step = client, stepAnswered
	return nil
}

// finishExchange takes the content of the peer's Finished, and is the end of an exchange here: the client sends end and
// its own Finished, the server has nothing more to send.
func (s *Session) finishExchange(content []byte) (Output, error) {
	x, began := &s.exchange, s.options.Now()
	x.wait.end()
	x.step = stepNone
	finished, err := parseFinished(content)
	if err != nil || s.state != Open {
		return Output{}, err // after a close its members are not judged, and nothing is sent
	}
	var out Output
	if s.client {
		if err := s.verifyServer(inExchange, x.th, finished); err != nil {
			return Output{}, err
		}
		if out.Send, err = s.endExchange(began); err != nil {
			return Output{}, err
		}
	} else {
		if err := s.verifyClient(inExchange, x.th, finished); err != nil {
			return Output{}, err
		}
		if err := s.checkWork(began); err != nil {
			return Output{}, err
		}
	}
	x.generation++
	x.since = s.options.Now()
	if x.again {
		x.again = false
		frames, err := s.beginExchange()
		if err != nil {
			return Output{}, err
		}
		out.Send = append(out.Send, frames...)
	}
	return out, nil
}

// endExchange is the client's last part: end under its old epoch, Finished under its new one.
func (s *Session) endExchange(began time.Time) ([]TransportMessage, error) {
	x := &s.exchange
	content, err := s.clientProofs(inExchange, x.th)
	if err != nil {
		return nil, err
	}
	if err := s.checkWork(began); err != nil {
		return nil, err
	}
	end, err := s.sealNow(kindExchangeEnd, nil)
	if err != nil {
		return nil, err
	}
	s.out.replace(x.next)
	x.next = nil
	finished, err := s.sealNow(kindFinished, content)
	return []TransportMessage{{Data: end}, {Data: finished}}, err
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

// checkWork is for callbacks, within which no timer can fire.
func (s *Session) checkWork(began time.Time) error {
	if s.options.Now().Sub(began) > s.options.Exchange.Timeout {
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
