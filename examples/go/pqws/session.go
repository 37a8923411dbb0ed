package pqws

import (
	"crypto/mlkem"
	"crypto/rand"
	"errors"
	"io"
	"math"
	"slices"
	"time"
)

// Defaults of the options.
const (
	DefaultMaxPayload       = 16 << 20
	DefaultHandshakeTimeout = 10 * time.Second
	CloseTimeout            = 30 * time.Second // section 9; a binding counts it from when the close has drained
)

// Limits of a sender's epoch (section 8). They can only be lowered; 0 is the protocol's.
type Limits struct {
	Records uint64
	Bytes   uint64
	Age     time.Duration
}

const maxEpochRecords = 1 << 24 // of a receiver

// Options of one session. The zero value is a peer without identity, attestation and padding.
type Options struct {
	Context          []byte // nil: none
	MaxPayload       int    // 0: DefaultMaxPayload
	Padding          Padding
	UpdateAfter      Limits
	HandshakeTimeout time.Duration // 0: DefaultHandshakeTimeout

	// A server's. They are called between ClientHello and ServerHello, and the session waits for them.
	Identity Signer
	// Identity's public key, for clients that pin its fingerprint; nil: it is not sent.
	PublicKey []byte
	Attest    func(userData []byte) (document []byte, err error)

	// A client's. Pins are ML-DSA-65 public keys, or SHA-256 fingerprints of them (32 bytes); one must have signed.
	Pins              [][]byte
	VerifyAttestation func(document, userData []byte) error

	Now func() time.Time // nil: time.Now

	// For known-answer tests alone.
	random      io.Reader
	key         *mlkem.DecapsulationKey768
	encapsulate func(*mlkem.EncapsulationKey768) (sharedSecret, ciphertext []byte)
}

// A State of section 3. Verifying and replying are absent: a session does both within one call, while its binding
// reads nothing, so that nothing has to wait within the session. Ended is reached through Drained.
type State int

const (
	Idle State = iota
	AwaitingHello
	AwaitingFinished
	ClosingUnconfirmed
	Open
	CloseSent
	Finishing
	Ended
	Failed
)

// Output is what a call asks its binding to do: send all, then close the transport with Close unless that is 0, then
// call Drained. Messages go to the application; there are none of a record that was refused.
type Output struct {
	Send     []TransportMessage
	Messages []Message
	Close    uint16
	Reason   string
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
	pins     pins
	state    State
	deadline time.Time // of the handshake

	key         *mlkem.DecapsulationKey768 // a client's, until the secret is derived
	clientHello []byte
	owedHello   []byte // what a server that has answered early must receive first

	th       []byte
	exporter []byte
	in, out  *direction

	confirmed    bool // the peer's Finished is accepted; the phase rule of section 10
	justUpdated  bool // the last record received was a key update
	updateWanted bool
	ownClose     []byte // content of the close sent
	status       CloseStatus
	lastInner    int
}

// NewClient makes the key pair and ClientHello; Start sends it.
func NewClient(options Options) (*Session, error) {
	s, err := newSession(true, options)
	if err != nil {
		return nil, err
	}
	if s.key = options.key; s.key == nil {
		if s.key, err = mlkem.GenerateKey768(); err != nil {
			return nil, err
		}
	}
	s.clientHello = makeClientHello(s.key.EncapsulationKey())
	return s, nil
}

// NewServer makes a server's session for one upgrade request.
func NewServer(options Options) (*Session, error) { return newSession(false, options) }

func newSession(client bool, options Options) (*Session, error) {
	if options.Context != nil && len(options.Context) == 0 {
		return nil, errors.New("pqws: the context is empty")
	}
	if options.MaxPayload < 0 || options.MaxPayload > math.MaxInt/16 {
		return nil, errors.New("pqws: MaxPayload out of range")
	}
	if err := options.Padding.check(); err != nil {
		return nil, err
	}
	pins, err := parsePins(options.Pins)
	if err != nil {
		return nil, err
	}
	if options.Pins != nil && pins.none() {
		return nil, errors.New("pqws: an empty list of pins would pin nothing")
	}
	lower := &options.UpdateAfter
	lower.Records = atMost(lower.Records, 1<<20-1)
	lower.Bytes = atMost(lower.Bytes, 1<<36)
	lower.Age = atMost(lower.Age, time.Hour)
	if options.MaxPayload == 0 {
		options.MaxPayload = DefaultMaxPayload
	}
	if options.HandshakeTimeout == 0 {
		options.HandshakeTimeout = DefaultHandshakeTimeout
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.random == nil {
		options.random = rand.Reader
	}
	if options.encapsulate == nil {
		options.encapsulate = (*mlkem.EncapsulationKey768).Encapsulate
	}
	return &Session{client: client, options: options, pins: pins}, nil
}

func atMost[T uint64 | time.Duration](value, bound T) T {
	if value <= 0 {
		return bound
	}
	return min(value, bound)
}

func (s *Session) State() State                    { return s.state }
func (s *Session) ClientHello() []byte             { return s.clientHello }
func (s *Session) HandshakeTimeout() time.Duration { return s.options.HandshakeTimeout }

// Confirmed tells whether the peer's Finished is accepted. Until then a server counts the connection as pending.
func (s *Session) Confirmed() bool { return s.confirmed }

// Status is final once State is Ended or Failed.
func (s *Session) Status() CloseStatus { return s.status }

// TranscriptHash is nil before the hellos are exchanged.
func (s *Session) TranscriptHash() []byte { return slices.Clone(s.th) }

// ExportKey is section 6.1.
func (s *Session) ExportKey(label string, size int) ([]byte, error) {
	if s.exporter == nil || s.client && !s.confirmed {
		return nil, errors.New("pqws: no key can be exported in this state")
	}
	return exportKey(s.th, s.exporter, label, size)
}

// Stats tell what travelled, so that tests can see what an application can't.
type Stats struct {
	SentRecords, ReceivedRecords uint64
	SendEpoch, ReceiveEpoch      uint64
	LastInner                    int // bytes of inner of the last record received
}

func (s *Session) Stats() Stats {
	if s.in == nil {
		return Stats{}
	}
	return Stats{s.out.seq, s.in.seq, s.out.epoch, s.in.epoch, s.lastInner}
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
	s.exporter, s.key, s.owedHello = nil, nil, nil
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

// Drained tells that all of an Output was handed to the transport: the last record of a closing session among it.
func (s *Session) Drained() {
	if s.state == Finishing {
		s.finish(Ended, s.status)
	}
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
