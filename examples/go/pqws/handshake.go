package pqws

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"filippo.io/mldsa"
)

// Start begins the handshake: the transport is open. A client sends ClientHello.
func (s *Session) Start() Output {
	s.state = AwaitingHello
	s.deadline = s.options.Now().Add(s.options.HandshakeTimeout)
	if !s.client {
		return Output{}
	}
	return Output{Send: []TransportMessage{{Text: true, Data: s.clientHello}}}
}

// StartEarly begins a server's handshake by the ClientHello of the upgrade request (section 13). One that the server
// refuses counts for nothing: the session then waits for the text message as after Start.
func (s *Session) StartEarly(clientHello []byte) Output {
	s.Start()
	agreed, err := s.agree(true, clientHello)
	if errors.As(err, new(*Failure)) {
		return Output{}
	}
	var out Output
	if err == nil {
		s.owedHello = clientHello
		out, err = s.answerHello(agreed, clientHello)
	}
	if err != nil {
		return s.fail(err)
	}
	return out
}

// Selected judges the subprotocol that the server chose (section 13, rule 6). "" is none, which gorilla lets pass: with
// fast open some subprotocol is due.
func (s *Session) Selected(protocol string, application []string, fastOpen bool) Output {
	if protocol == "" && !fastOpen || protocol == FastOpenProtocol && fastOpen && len(application) == 0 {
		return Output{}
	}
	for _, p := range application {
		if p == protocol {
			return Output{}
		}
	}
	return s.fail(refuse(CodeHandshake, "the server selected a subprotocol that is not the application's"))
}

// receiveHello is the state awaiting client hello or awaiting server hello.
func (s *Session) receiveHello(text bool, data []byte) (Output, error) {
	if !s.client {
		agreed, err := s.agree(text, data)
		if err != nil {
			return Output{}, err
		}
		return s.answerHello(agreed, data)
	}
	answer, err := parseServerHello(text, data, s.schemes, s.asked)
	if err != nil {
		return Output{}, err
	}
	key := s.offered[slices.Index(s.schemes, answer.scheme)]
	s.offered = nil // crypto/mlkem offers no way to overwrite them
	ss, err := key.decapsulate(answer.ciphertext)
	if err != nil {
		return Output{}, refuse(CodeHandshake, "the ciphertext fails its check")
	}
	s.scheme, s.features = answer.scheme, answer.features
	s.deriveKeys(ss, data)
	s.state = AwaitingFinished
	return Output{}, nil
}

// An agreement is what a server takes from a ClientHello that it does not refuse.
type agreement struct {
	clientOffer
	sharedSecret, ciphertext []byte
}

// agree judges ClientHello and encapsulates.
func (s *Session) agree(text bool, data []byte) (agreement, error) {
	offer, err := parseClientHello(text, data, s.schemes)
	if err != nil {
		return agreement{}, err
	}
	if s.asked.clientIdentity && !offer.features.clientIdentity {
		return agreement{}, refuse(CodeAuthentication, "the client has no identity")
	}
	ss, ciphertext, err := s.options.encapsulate(offer.scheme, offer.key)
	if err != nil {
		return agreement{}, refuse(CodeHandshake, offer.scheme.keyMember+" fails the key's check")
	}
	return agreement{offer, ss, ciphertext}, nil
}

// answerHello makes the server's two messages. Nothing is sent unless all of it could be made.
func (s *Session) answerHello(agreed agreement, clientHello []byte) (Output, error) {
	s.scheme, s.features = agreed.scheme, agreed.features.and(s.asked)
	hello := newHello()
	hello.bytes(s.scheme.ciphertextMember, agreed.ciphertext)
	serverHello, err := s.endHello(hello, s.features)
	if err != nil {
		return Output{}, err
	}
	s.clientHello = bytes.Clone(clientHello)
	s.deriveKeys(agreed.sharedSecret, serverHello)
	if s.state = Replying; s.owedHello != nil {
		s.state = AnsweringEarly
	}
	var content []byte
	return s.begin(s.options.Identity != nil || s.options.Attest != nil, func() (err error) {
		content, err = s.serverProofs(inHandshake, s.th)
		return err
	}, func() (Output, error) {
		if err := s.checkDeadline(); err != nil {
			return Output{}, err
		}
		finished, err := s.sealNow(kindFinished, content)
		if err != nil {
			return Output{}, err
		}
		s.state = AwaitingFinished
		return Output{Send: []TransportMessage{{Text: true, Data: serverHello}, {Data: finished}}}, nil
	})
}

// endHello adds what both hellos have behind the KEM's member.
func (s *Session) endHello(hello *objectMaker, f features) ([]byte, error) {
	hello.features(f)
	if !s.options.NoGrease {
		random := make([]byte, 8)
		if _, err := io.ReadFull(s.options.random, random); err != nil {
			return nil, err
		}
		hello.grease(random)
	}
	return hello.end(), nil
}

// deriveKeys destroys ss when its work is done.
func (s *Session) deriveKeys(ss, serverHello []byte) {
	now := s.options.Now()
	s.th = transcriptHash(s.clientHello, serverHello, s.options.Context)
	client, server := newDirection("client", s.th, ss, now), newDirection("server", s.th, ss, now)
	s.exporter = expand(s.th, ss, prefix+"exporter", 32)
	if s.features.exchange {
		s.exchange.th, s.exchange.root = s.th, expand(s.th, ss, prefix+rootLabel, 32)
	}
	if s.in, s.out = client, server; s.client {
		s.in, s.out = server, client
	}
	client.seq, server.seq = s.options.firstSeq, s.options.firstSeq
	clear(ss)
}

// parseFinished does the checks that do not depend on who asked for what. Before the handshake has ended, fail makes
// 3768 of its code.
func parseFinished(content []byte) (map[string]json.RawMessage, error) {
	if len(content) > maxFinished {
		return nil, refuse(CodeViolation, "Finished over 65,536 bytes")
	}
	object, err := parseObject(content)
	if err != nil {
		return nil, refuse(CodeViolation, "Finished is "+err.Error())
	}
	return object, nil
}

// receiveFinished takes the content of the peer's record 0. With it the peer is confirmed, once all that this end asks
// for has passed.
func (s *Session) receiveFinished(content []byte) (Output, error) {
	finished, err := parseFinished(content)
	if err != nil {
		return Output{}, err
	}
	if !s.client {
		return s.acceptClient(finished)
	}
	s.state = Verifying
	var proof []byte
	var key *mldsa.PublicKey
	return s.begin(s.asksServer() || s.features.clientIdentity, func() (err error) {
		// A client says who it is to a server that has passed, and to no other.
		if key, err = s.verifyServer(inHandshake, s.th, finished); err == nil {
			proof, err = s.clientProofs(inHandshake, s.th)
		}
		return err
	}, func() (Output, error) {
		if err := s.checkDeadline(); err != nil {
			return Output{}, err
		}
		s.peerKey = key
		s.confirm(Open)
		sealed, err := s.sealNow(kindFinished, proof)
		return Output{Send: []TransportMessage{{Data: sealed}}}, err
	})
}

func (s *Session) acceptClient(finished map[string]json.RawMessage) (Output, error) {
	if !s.features.clientIdentity {
		if s.state == ClosingUnconfirmed {
			s.confirm(CloseSent)
		} else {
			s.confirm(Open)
		}
		return Output{}, nil
	}
	s.state = Verifying
	var key *mldsa.PublicKey
	return s.begin(true, func() (err error) {
		key, err = s.verifyClient(inHandshake, s.th, finished)
		return err
	}, func() (Output, error) {
		if err := s.checkDeadline(); err != nil {
			return Output{}, err
		}
		s.peerKey = key
		s.confirm(Open)
		return Output{}, nil
	})
}

// confirm ends the handshake. The clocks of what runs in an open connection begin.
func (s *Session) confirm(state State) {
	s.confirmed, s.state = true, state
	s.exchange.since = s.options.Now()
	s.heartbeat.hear(s.exchange.since)
}

// checkDeadline is for the callbacks, which may take longer than the handshake: a timer can't fire within a call.
func (s *Session) checkDeadline() error {
	if s.options.Now().After(s.deadline) {
		return refuse(CodeTimeout, "the handshake takes too long")
	}
	return nil
}
