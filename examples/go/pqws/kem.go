package pqws

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha3"
	"errors"
	"fmt"
	"slices"
)

// A KEM is a key encapsulation mechanism, by the name that options use.
type KEM string

// The KEMs of section 21.
const (
	MLKEM768       KEM = "ml-kem-768"      // FIPS 203; what a client offers unless told otherwise
	MLKEM768X25519 KEM = "mlkem768-x25519" // MLKEM768-X25519 of draft-irtf-cfrg-concrete-hybrid-kems, also called X-Wing
	MLKEM1024      KEM = "ml-kem-1024"     // FIPS 203
)

// What a client offers and a server takes unless their options say otherwise. A server takes the first of its list that
// is offered.
var (
	defaultOffer = []KEM{MLKEM768}
	defaultKEMs  = []KEM{MLKEM768X25519, MLKEM1024, MLKEM768}
)

// A scheme is what the protocol needs of one KEM.
type scheme struct {
	name             KEM
	keyMember        string // of ClientHello
	keySize          int
	ciphertextMember string // of ServerHello
	ciphertextSize   int

	generate func() (decapsulationKey, error)
	// parse refuses a key that fails its check (FIPS 203 section 7.2). The caller has checked its length.
	parse func(raw []byte) (encapsulationKey, error)
}

// A decapsulationKey is a client's, for one key agreement.
type decapsulationKey interface {
	encapsulationKey() []byte
	// decapsulate fails on what the caller has ruled out, and where X25519 gives zeros.
	decapsulate(ciphertext []byte) (sharedSecret []byte, err error)
}

// An encapsulationKey is the other half of it, at the server.
type encapsulationKey interface {
	// encapsulate fails where X25519 gives zeros: no honest peer sends such a key.
	encapsulate() (sharedSecret, ciphertext []byte, err error)
}

var schemes = []*scheme{
	{
		MLKEM768,
		"ml_kem_768_encapsulation_key", mlkem.EncapsulationKeySize768,
		"ml_kem_768_ciphertext", mlkem.CiphertextSize768,
		func() (decapsulationKey, error) { return mlKEMKey(mlkem.GenerateKey768()) },
		func(raw []byte) (encapsulationKey, error) { return mlKEMPublic(mlkem.NewEncapsulationKey768(raw)) },
	},
	{
		MLKEM768X25519,
		"mlkem768_x25519_encapsulation_key", mlkem.EncapsulationKeySize768 + x25519Size,
		"mlkem768_x25519_ciphertext", mlkem.CiphertextSize768 + x25519Size,
		generateHybrid,
		parseHybrid,
	},
	{
		MLKEM1024,
		"ml_kem_1024_encapsulation_key", mlkem.EncapsulationKeySize1024,
		"ml_kem_1024_ciphertext", mlkem.CiphertextSize1024,
		func() (decapsulationKey, error) { return mlKEMKey(mlkem.GenerateKey1024()) },
		func(raw []byte) (encapsulationKey, error) { return mlKEMPublic(mlkem.NewEncapsulationKey1024(raw)) },
	},
}

// schemesOf finds the schemes of a list, in its order. An empty list is refused, nil is the default.
func schemesOf(names, byDefault []KEM) ([]*scheme, error) {
	if names == nil {
		names = byDefault
	}
	if len(names) == 0 {
		return nil, errors.New("pqws: an empty list of KEMs leaves none")
	}
	found := make([]*scheme, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(schemes, func(s *scheme) bool { return s.name == name })
		if i < 0 || slices.Contains(found, schemes[i]) {
			return nil, fmt.Errorf("pqws: the KEM %q is unknown, or named twice", string(name))
		}
		found = append(found, schemes[i])
	}
	return found, nil
}

// The two parameter sets of crypto/mlkem have types of their own, with the same methods.

type mlKEMDecapsulator[E interface{ Bytes() []byte }] interface {
	Decapsulate(ciphertext []byte) ([]byte, error)
	EncapsulationKey() E
}

type mlKEMEncapsulator interface {
	Encapsulate() (sharedSecret, ciphertext []byte)
}

// mlKEMDecapsulation can't overwrite its key, which crypto/mlkem offers no way to: it is let go.
type mlKEMDecapsulation[E interface{ Bytes() []byte }] struct{ key mlKEMDecapsulator[E] }

func mlKEMKey[E interface{ Bytes() []byte }](key mlKEMDecapsulator[E], err error) (decapsulationKey, error) {
	if err != nil {
		return nil, err
	}
	return mlKEMDecapsulation[E]{key}, nil
}

func (d mlKEMDecapsulation[E]) encapsulationKey() []byte { return d.key.EncapsulationKey().Bytes() }

func (d mlKEMDecapsulation[E]) decapsulate(ciphertext []byte) ([]byte, error) {
	return d.key.Decapsulate(ciphertext)
}

type mlKEMEncapsulation struct{ key mlKEMEncapsulator }

func mlKEMPublic(key mlKEMEncapsulator, err error) (encapsulationKey, error) {
	if err != nil {
		return nil, err
	}
	return mlKEMEncapsulation{key}, nil
}

func (e mlKEMEncapsulation) encapsulate() ([]byte, []byte, error) {
	sharedSecret, ciphertext := e.key.Encapsulate()
	return sharedSecret, ciphertext, nil
}

// MLKEM768-X25519. Go's crypto/hpke has it within HPKE alone, so that its two parts are put together here.

const (
	x25519Size  = 32
	hybridLabel = `\.//^\` // it comes last; early drafts of X-Wing had it first
)

type hybridDecapsulation struct {
	m *mlkem.DecapsulationKey768
	x *ecdh.PrivateKey
}

func generateHybrid() (decapsulationKey, error) {
	m, err := mlkem.GenerateKey768()
	if err != nil {
		return nil, err
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return hybridDecapsulation{m, x}, nil
}

func (d hybridDecapsulation) encapsulationKey() []byte {
	return slices.Concat(d.m.EncapsulationKey().Bytes(), d.x.PublicKey().Bytes())
}

func (d hybridDecapsulation) decapsulate(ciphertext []byte) ([]byte, error) {
	ctM, ctX := ciphertext[:mlkem.CiphertextSize768], ciphertext[mlkem.CiphertextSize768:]
	ssM, err := d.m.Decapsulate(ctM)
	if err != nil {
		return nil, err
	}
	defer clear(ssM)
	peer, err := ecdh.X25519().NewPublicKey(ctX)
	if err != nil {
		return nil, err
	}
	ssX, err := d.x.ECDH(peer)
	if err != nil {
		return nil, err
	}
	defer clear(ssX)
	return combineHybrid(ssM, ssX, ctX, d.x.PublicKey().Bytes()), nil
}

type hybridEncapsulation struct {
	m *mlkem.EncapsulationKey768
	x *ecdh.PublicKey
}

func parseHybrid(raw []byte) (encapsulationKey, error) {
	m, err := mlkem.NewEncapsulationKey768(raw[:mlkem.EncapsulationKeySize768])
	if err != nil {
		return nil, err
	}
	x, err := ecdh.X25519().NewPublicKey(raw[mlkem.EncapsulationKeySize768:])
	if err != nil {
		return nil, err
	}
	return hybridEncapsulation{m, x}, nil
}

func (e hybridEncapsulation) encapsulate() ([]byte, []byte, error) {
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	ssM, ctM := e.m.Encapsulate()
	return e.combine(ssM, ctM, ephemeral)
}

// combine is the part of encapsulation that draws nothing. It destroys ssM.
func (e hybridEncapsulation) combine(ssM, ctM []byte, ephemeral *ecdh.PrivateKey) ([]byte, []byte, error) {
	defer clear(ssM)
	ssX, err := ephemeral.ECDH(e.x)
	if err != nil {
		return nil, nil, err
	}
	defer clear(ssX)
	ctX := ephemeral.PublicKey().Bytes()
	return combineHybrid(ssM, ssX, ctX, e.x.Bytes()), slices.Concat(ctM, ctX), nil
}

func combineHybrid(ssM, ssX, ctX, pkX []byte) []byte {
	input := bytes.Join([][]byte{ssM, ssX, ctX, pkX, []byte(hybridLabel)}, nil)
	defer clear(input)
	sum := sha3.Sum256(input)
	return sum[:]
}
