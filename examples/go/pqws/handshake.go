package pqws

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
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

// StartEarly begins a server's handshake by the ClientHello of the upgrade request (section 13).
func (s *Session) StartEarly(clientHello []byte) Output {
	s.Start()
	out, err := s.answerHello(true, clientHello)
	if err != nil {
		return s.fail(err)
	}
	s.owedHello = clientHello
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
		return s.answerHello(text, data)
	}
	ciphertext, err := parseServerHello(text, data)
	if err != nil {
		return Output{}, err
	}
	ss, err := s.key.Decapsulate(ciphertext) // fails on a wrong length alone, which parseServerHello has ruled out
	if err != nil {
		return Output{}, err
	}
	s.deriveKeys(ss, data)
	s.state = AwaitingFinished
	return Output{}, nil
}

// answerHello makes the server's two messages. Nothing is sent unless all of it could be made.
func (s *Session) answerHello(text bool, data []byte) (Output, error) {
	key, err := parseClientHello(text, data)
	if err != nil {
		return Output{}, err
	}
	ss, ciphertext := s.options.encapsulate(key)
	serverHello := makeServerHello(ciphertext)
	s.clientHello = bytes.Clone(data)
	s.deriveKeys(ss, serverHello)
	content, err := s.serverFinished()
	if err != nil {
		return Output{}, err
	}
	if err := s.checkDeadline(); err != nil {
		return Output{}, err
	}
	finished, err := s.sealNow(kindFinished, content)
	if err != nil {
		return Output{}, err
	}
	s.state = AwaitingFinished
	return Output{Send: []TransportMessage{{Text: true, Data: serverHello}, {Data: finished}}}, nil
}

// deriveKeys destroys ss and the decapsulation key when their work is done.
func (s *Session) deriveKeys(ss, serverHello []byte) {
	now := s.options.Now()
	s.th = transcriptHash(s.clientHello, serverHello, s.options.Context)
	client, server := newDirection("client", s.th, ss, now), newDirection("server", s.th, ss, now)
	s.exporter = expand(s.th, ss, prefix+"exporter", 32)
	if s.in, s.out = client, server; s.client {
		s.in, s.out = server, client
	}
	clear(ss)
	s.key = nil // crypto/mlkem offers no way to overwrite it
}

func (s *Session) serverFinished() ([]byte, error) {
	members := map[string]string{}
	if s.options.Identity != nil {
		signature, err := s.options.Identity(identityMessage(s.th))
		if err != nil || len(signature) != signatureSize {
			return nil, refuse(CodeAuthentication, "the signer failed")
		}
		members["ml_dsa_65_signature"] = base64.StdEncoding.EncodeToString(signature)
		if s.options.PublicKey != nil {
			members["ml_dsa_65_public_key"] = base64.StdEncoding.EncodeToString(s.options.PublicKey)
		}
	}
	if s.options.Attest != nil {
		document, err := s.options.Attest(attestationUserData(s.th))
		if err != nil || len(document) == 0 {
			return nil, refuse(CodeAuthentication, "the attester failed")
		}
		members["attestation_doc"] = base64.StdEncoding.EncodeToString(document)
	}
	content, err := json.Marshal(members)
	if err == nil && len(content) > maxFinished {
		err = refuse(CodeAuthentication, "the attester's document is too long")
	}
	return content, err
}

// receiveFinished takes the content of the peer's record 0. With it the peer is confirmed.
func (s *Session) receiveFinished(content []byte) (Output, error) {
	if len(content) > maxFinished {
		return Output{}, refuse(CodeHandshake, "Finished over 65,536 bytes")
	}
	object, err := parseObject(content)
	if err != nil {
		return Output{}, refuse(CodeHandshake, "Finished is "+err.Error())
	}
	if !s.client {
		s.confirmed = true
		if s.state == ClosingUnconfirmed {
			s.state = CloseSent
		} else {
			s.state = Open
		}
		return Output{}, nil
	}
	if err := s.verifyServer(object); err != nil {
		return Output{}, err
	}
	if err := s.checkDeadline(); err != nil {
		return Output{}, err
	}
	s.confirmed = true
	s.state = Open
	finished, err := s.sealNow(kindFinished, []byte("{}"))
	return Output{Send: []TransportMessage{{Data: finished}}}, err
}

// verifyServer demands all that the client asked for, and looks at nothing else.
func (s *Session) verifyServer(object map[string]json.RawMessage) error {
	if !s.pins.none() {
		signature, err := base64Member(object, "ml_dsa_65_signature", signatureSize)
		if err != nil {
			return refuse(CodeAuthentication, "signature is missing or malformed")
		}
		sent, _ := base64Member(object, "ml_dsa_65_public_key", publicKeySize)
		if !s.pins.signed(s.th, signature, sent) {
			return refuse(CodeAuthentication, "signature is by no pinned key")
		}
	}
	if s.options.VerifyAttestation != nil {
		document, err := base64Member(object, "attestation_doc", 0)
		if err != nil {
			return refuse(CodeAuthentication, "attestation document is missing or malformed")
		}
		if s.options.VerifyAttestation(document, attestationUserData(s.th)) != nil {
			return refuse(CodeAuthentication, "attestation document is refused")
		}
	}
	return nil
}

// checkDeadline is for the callbacks, which may take longer than the handshake: a timer can't fire within a call.
func (s *Session) checkDeadline() error {
	if s.options.Now().After(s.deadline) {
		return refuse(CodeTimeout, "the handshake takes too long")
	}
	return nil
}
