package pqws

import (
	"crypto/rand"
	"errors"
	"io"
	"math"
	"time"
)

// Defaults of the options.
const (
	DefaultMaxPayload       = 16 << 20
	DefaultHandshakeTimeout = 10 * time.Second
	DefaultExchangeAfter    = time.Hour
	DefaultExchangeTimeout  = 60 * time.Second
	CloseTimeout            = 30 * time.Second // section 9; a binding counts it from when the close has drained
)

// Limits of a sender's epoch (section 8). They can only be lowered; 0 is the protocol's.
type Limits struct {
	Records uint64
	Bytes   uint64
	Age     time.Duration
}

// An ExchangePolicy says how a connection renews its keys. The zero value does it once an hour, where both ends know how.
type ExchangePolicy struct {
	Off     bool          // the feature is neither offered nor answered
	After   time.Duration // a generation's age at which this end asks for the next; 0: DefaultExchangeAfter
	Timeout time.Duration // of one step; 0: DefaultExchangeTimeout
}

// A HeartbeatPolicy says whether this end looks for a dead peer by itself. The zero value answers a peer's pings, and
// sends none but the application's.
type HeartbeatPolicy struct {
	Off      bool          // the feature is neither offered nor answered
	Interval time.Duration // without anything received, after which a ping goes out; 0: none does
	// After a ping: nothing received for that long ends the connection. It must exceed what the largest message takes
	// on the slowest link, for a part of a message is not seen. Set with Interval, or neither.
	Timeout time.Duration
}

// Options of one session. The zero value is a peer without identity, attestation and padding.
type Options struct {
	Context          []byte // nil: none
	MaxPayload       int    // 0: DefaultMaxPayload
	Padding          Padding
	UpdateAfter      Limits
	HandshakeTimeout time.Duration // 0: DefaultHandshakeTimeout
	Exchange         ExchangePolicy
	Heartbeat        HeartbeatPolicy
	NoGrease         bool // no member in the hello that nobody knows
	// The functions below do not run within a call of the session, but as Output.Work. Unset, every call waits for them.
	Background bool

	// What a client offers, each with a key of its own, or what a server takes, the first first. nil: MLKEM768 alone
	// for a client, all for a server, the hybrid first.
	KEMs []KEM

	// A server signs with it always, a client where the server asks.
	Identity Signer
	// Identity's public key. A client's has to be there. A server sends it for clients that pin its fingerprint; nil:
	// it is not sent.
	PublicKey []byte

	// A server's: makes a document over the user data, in one of its two forms.
	Attest func(UserData) (document []byte, err error)
	// A server's: the clients that it takes, by ML-DSA-65 public keys, by SHA-256 fingerprints of them (32 bytes), or by
	// a function of the raw key, which is asked once the signature has been verified. With either set, a client must
	// prove a key that is in the list or accepted.
	ClientKeys      [][]byte
	AcceptClientKey func(publicKey []byte) bool

	// A client's. Pins are ML-DSA-65 public keys, or SHA-256 fingerprints of them (32 bytes); one must have signed.
	Pins [][]byte
	// A client's: nil takes the document. It must refuse one whose user data are not covered by those given.
	VerifyAttestation func(document []byte, due UserData) error

	Now func() time.Time // nil: time.Now

	// For known-answer tests alone.
	epochRecords uint64 // that a receiver takes; 0: maxEpochRecords
	firstSeq     uint64
	random       io.Reader
	generate     func(*scheme) (decapsulationKey, error)
	encapsulate  func(*scheme, encapsulationKey) (sharedSecret, ciphertext []byte, err error)
}

// complete checks the options of an end and puts the defaults in.
func (o *Options) complete(client bool) error {
	if o.Context != nil && len(o.Context) == 0 {
		return errors.New("pqws: the context is empty")
	}
	if o.MaxPayload < 0 || o.MaxPayload > math.MaxInt/16 {
		return errors.New("pqws: MaxPayload out of range")
	}
	if err := o.Padding.check(); err != nil {
		return err
	}
	if client && o.Identity != nil && len(o.PublicKey) != publicKeySize {
		return errors.New("pqws: a client's Identity needs its PublicKey of 1,952 bytes")
	}
	if o.Heartbeat.Interval < 0 || o.Heartbeat.Timeout < 0 || (o.Heartbeat.Interval > 0) != (o.Heartbeat.Timeout > 0) {
		return errors.New("pqws: a heartbeat has an interval and a timeout, both more than 0")
	}
	if o.Exchange.After < 0 || o.Exchange.Timeout < 0 {
		return errors.New("pqws: an exchange's times are not negative")
	}
	lower := &o.UpdateAfter
	lower.Records = atMost(lower.Records, 1<<20-1)
	lower.Bytes = atMost(lower.Bytes, 1<<36)
	lower.Age = atMost(lower.Age, time.Hour)
	o.epochRecords = atMost(o.epochRecords, maxEpochRecords)
	setDefault(&o.MaxPayload, DefaultMaxPayload)
	setDefault(&o.HandshakeTimeout, DefaultHandshakeTimeout)
	setDefault(&o.Exchange.After, DefaultExchangeAfter)
	setDefault(&o.Exchange.Timeout, DefaultExchangeTimeout)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.random == nil {
		o.random = rand.Reader
	}
	if o.generate == nil {
		o.generate = func(s *scheme) (decapsulationKey, error) { return s.generate() }
	}
	if o.encapsulate == nil {
		o.encapsulate = func(_ *scheme, key encapsulationKey) ([]byte, []byte, error) { return key.encapsulate() }
	}
	return nil
}

func atMost[T uint64 | time.Duration](value, bound T) T {
	if value <= 0 {
		return bound
	}
	return min(value, bound)
}

func setDefault[T int | time.Duration](value *T, byDefault T) {
	if *value == 0 {
		*value = byDefault
	}
}
