package pqws

import (
	"errors"
	"slices"
	"time"

	"filippo.io/mldsa"
)

const maxEpochRecords = 1 << 24 // of a receiver

// A State of section 3. Ended is reached through Drained.
type State int

const (
	Idle State = iota
	AwaitingHello
	Replying       // a server, to the hello that has come
	AnsweringEarly // likewise, to the hello of the upgrade request
	AwaitingFinished
	ClosingUnconfirmed
	Verifying // the peer's Finished; a client signs its own, too
	Open
	CloseSent
	Finishing
	Ended
	Failed
)

// Output is what a call asks its binding to do: send all, then close the transport with Close unless that is 0, then
// call Drained. Messages go to the application; there are none of a record that was refused. Work is to be done and
// handed back by Complete, with Options.Background alone.
type Output struct {
	Send      []TransportMessage
	Messages  []Message
	Work      *Work
	Ponged    uint64 // the application's pings up to this id are answered; 0: none
	Close     uint16
	Reason    string
	Terminate bool // drop the transport without a close
}

// A TransportMessage is text for a hello, otherwise binary.
type TransportMessage struct {
	Text bool
	Data []byte
}

// CloseStatus is what the application sees at the end.
type CloseStatus struct {
	Code    uint16
	Reason  string
	Clean   bool     // the peer's sealed close was received, and ours sent
	Crossed bool     // both closed: what was under way may be lost
	Failure *Failure // found here; nil otherwise
	Claimed bool     // Code is the transport's, and authenticated by nobody
}

// A Session is one end of one connection. It is not safe for concurrent use.
type Session struct {
	client   bool
	options  Options
	state    State
	deadline time.Time // of the handshake

	// What a client offers or a server takes; a client's fresh key of each, in the same order, until ServerHello.
	schemes     []*scheme
	offered     []decapsulationKey
	asked       features // what this end has to offer or answer
	clientHello []byte
	owedHello   []byte // what a server that has answered early must receive first

	pins, clientKeys keys             // whom a client, or a server, believes
	peerKey          *mldsa.PublicKey // who has proved to be the peer; nil where nobody had to

	scheme   *scheme  // the KEM that both took
	features features // that both have
	th       []byte   // of the handshake, for the whole connection
	exporter []byte
	in, out  *direction

	exchange  exchange
	heartbeat heartbeat

	work      *Work              // under way
	held      []TransportMessage // arrived meanwhile, where it has to wait
	heldBytes int

	confirmed    bool // the peer's Finished is accepted; the phase rule of section 10
	justUpdated  bool // the last record received was a key update
	updateWanted bool
	ownClose     []byte // content of the close sent
	status       CloseStatus
	undrained    bool // something that was given out has not been handed over yet
	stats        Stats
}

// NewClient makes the key pairs and ClientHello; Start sends it.
func NewClient(options Options) (*Session, error) {
	s, err := newSession(true, options, defaultOffer)
	if err != nil {
		return nil, err
	}
	s.pins, err = parseKeys(options.Pins)
	if err != nil {
		return nil, err
	}
	hello := newHello()
	for _, scheme := range s.schemes {
		key, err := s.options.generate(scheme)
		if err != nil {
			return nil, err
		}
		s.offered = append(s.offered, key)
		hello.bytes(scheme.keyMember, key.encapsulationKey())
	}
	s.asked.clientIdentity = options.Identity != nil
	s.clientHello, err = s.endHello(hello, s.asked)
	return s, err
}

// NewServer makes a server's session for one upgrade request.
func NewServer(options Options) (*Session, error) {
	s, err := newSession(false, options, defaultKEMs)
	if err != nil {
		return nil, err
	}
	s.clientKeys, err = parseKeys(options.ClientKeys)
	s.asked.clientIdentity = options.ClientKeys != nil || options.AcceptClientKey != nil
	return s, err
}

func newSession(client bool, options Options, byDefault []KEM) (*Session, error) {
	if err := options.complete(client); err != nil {
		return nil, err
	}
	schemes, err := schemesOf(options.KEMs, byDefault)
	if err != nil {
		return nil, err
	}
	asked := features{exchange: !options.Exchange.Off, heartbeat: !options.Heartbeat.Off}
	return &Session{client: client, options: options, schemes: schemes, asked: asked}, nil
}

func (s *Session) State() State                    { return s.state }
func (s *Session) ClientHello() []byte             { return s.clientHello }
func (s *Session) HandshakeTimeout() time.Duration { return s.options.HandshakeTimeout }

// Confirmed tells whether the peer's Finished is accepted. Until then a server counts the connection as pending.
func (s *Session) Confirmed() bool { return s.confirmed }

// Status is final once State is Ended or Failed.
func (s *Session) Status() CloseStatus { return s.status }

// KEM is what the handshake ran with; "" before the hellos are exchanged.
func (s *Session) KEM() KEM {
	if s.scheme == nil {
		return ""
	}
	return s.scheme.name
}

// PeerKey is the ML-DSA-65 public key that the peer has proved to have, for the whole connection: a client's at a server
// that demands one, the server's at a client that pins it. nil where nobody had to.
func (s *Session) PeerKey() []byte {
	if s.peerKey == nil {
		return nil
	}
	return s.peerKey.Bytes()
}

// TranscriptHash is nil before the hellos are exchanged. Exchanges do not change it.
func (s *Session) TranscriptHash() []byte { return slices.Clone(s.th) }

// ExportKey is section 6.1.
func (s *Session) ExportKey(label string, size int) ([]byte, error) {
	if s.exporter == nil || !s.confirmed && (s.client || s.features.clientIdentity) {
		return nil, errors.New("pqws: no key can be exported in this state")
	}
	return exportKey(s.th, s.exporter, label, size)
}

// Stats tell what travelled, so that tests can see what an application can't.
type Stats struct {
	SentRecords, ReceivedRecords               uint64
	SentMessageRecords, ReceivedMessageRecords uint64 // those that carry the application's messages
	SentUpdates, ReceivedUpdates               uint64 // key updates
	LastInner                                  int    // bytes of inner of the last record received with messages
}

func (s *Session) Stats() Stats {
	if s.in == nil {
		return Stats{}
	}
	stats := s.stats
	stats.SentRecords, stats.ReceivedRecords = s.out.seq, s.in.seq
	stats.SentUpdates, stats.ReceivedUpdates = s.out.updates, s.in.updates
	return stats
}

// MaxTransportMessage is the longest transport message worth reading in this state. A binding hands over one byte
// more of a longer one, so that it is refused with the right code.
func (s *Session) MaxTransportMessage() int {
	switch s.state {
	case Idle, AwaitingHello:
		return maxHello
	case Finishing, Ended, Failed:
		return 0
	}
	return maxInner(s.options.MaxPayload) + overhead
}

// fail is section 10: the keys go, the transport is closed, nothing more is sent or delivered.
func (s *Session) fail(err error) Output {
	var failure *Failure
	if !errors.As(err, &failure) {
		// A defect of ours is nobody's violation: none of the codes.
		s.finish(Failed, CloseStatus{Code: codeAbnormal})
		return Output{Close: codeInternal}
	}
	if !s.confirmed && failure.Code > CodeAuthentication {
		failure = &Failure{CodeHandshake, failure.Check} // the phase rule
	}
	s.finish(Failed, CloseStatus{Code: failure.Code, Failure: failure})
	return Output{Close: failure.Code, Reason: reasonOf(failure.Code)}
}

// finish enters a state without keys.
func (s *Session) finish(state State, status CloseStatus) {
	s.state, s.status = state, status
	for _, d := range []*direction{s.in, s.out} {
		if d != nil {
			d.destroy()
		}
	}
	clear(s.exporter)
	s.exchange.destroy()
	s.exporter, s.offered, s.owedHello, s.heartbeat = nil, nil, nil, heartbeat{}
	s.work, s.held = nil, nil
}

// ExpireHandshake is for a binding's timer of HandshakeTimeout: it counts from the transport's opening or the upgrade.
func (s *Session) ExpireHandshake() Output {
	if s.confirmed || s.state >= Finishing {
		return Output{}
	}
	return s.fail(refuse(CodeTimeout, "the handshake takes too long"))
}

// Evict closes a pending server's session for a newcomer's sake (section 4.3).
func (s *Session) Evict() Output {
	if s.confirmed || s.state >= Finishing {
		return Output{}
	}
	s.finish(Failed, CloseStatus{Code: codeTryAgain})
	return Output{Close: codeTryAgain, Reason: reasonOf(codeTryAgain)}
}

// ExpireClose is for a binding's timer of CloseTimeout.
func (s *Session) ExpireClose() Output {
	if s.state != CloseSent && s.state != ClosingUnconfirmed {
		return Output{}
	}
	s.finish(Failed, CloseStatus{Code: codeAbnormal})
	return Output{Close: codeNormal}
}

// TransportClosed tells that the transport is gone, with the code that it claims. It changes nothing after an end.
func (s *Session) TransportClosed(code uint16) {
	if s.state == Ended || s.state == Failed {
		return
	}
	status := CloseStatus{Code: codeAbnormal}
	switch {
	case code == 1001, code >= 1012 && code <= codeBadGateway, code >= CodeHandshake && code <= CodeLimit:
		status = CloseStatus{Code: code, Claimed: true}
	}
	s.finish(Failed, status)
}
