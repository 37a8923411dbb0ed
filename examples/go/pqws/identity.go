package pqws

import (
	"crypto/sha256"
	"errors"
	"slices"

	"filippo.io/mldsa"
)

const (
	signatureSize = mldsa.MLDSA65SignatureSize
	publicKeySize = mldsa.MLDSA65PublicKeySize
)

// A Signer signs by pure ML-DSA-65 with an empty context. It may ask an HSM.
type Signer func(message []byte) (signature []byte, err error)

// IdentityFromSeed makes the identity of a 32-byte seed (xi of FIPS 204), and its public key to pin.
func IdentityFromSeed(seed []byte) (Signer, []byte, error) {
	key, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), seed)
	if err != nil {
		return nil, nil, err
	}
	sign := func(message []byte) ([]byte, error) { return key.Sign(nil, message, nil) }
	return sign, key.PublicKey().Bytes(), nil
}

// identityMessage is what the server signs (section 11).
func identityMessage(th []byte) []byte {
	return append([]byte(prefix+"server identity\x00"), th...)
}

// attestationUserData is what an attestation document says (section 12).
func attestationUserData(th []byte) []byte {
	return append([]byte(prefix+"attestation\x00"), th...)
}

// pins of a client, of which any may have signed.
type pins struct {
	keys         []*mldsa.PublicKey
	fingerprints [][sha256.Size]byte
}

func (p pins) none() bool { return len(p.keys) == 0 && len(p.fingerprints) == 0 }

func parsePins(given [][]byte) (p pins, err error) {
	for _, pin := range given {
		if len(pin) == sha256.Size {
			p.fingerprints = append(p.fingerprints, [sha256.Size]byte(pin))
			continue
		}
		key, err := mldsa.NewPublicKey(mldsa.MLDSA65(), pin)
		if err != nil {
			return pins{}, errors.New("pqws: a pin is an ML-DSA-65 public key of 1,952 bytes, or its SHA-256")
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}

// signed tells whether a pinned key has signed. The key that the server sent counts for nothing unless its fingerprint
// is pinned; sent is nil where there is none or a malformed one.
func (p pins) signed(th, signature, sent []byte) bool {
	keys := p.keys
	if sent != nil && slices.Contains(p.fingerprints, sha256.Sum256(sent)) {
		key, err := mldsa.NewPublicKey(mldsa.MLDSA65(), sent)
		if err == nil {
			keys = append(slices.Clone(keys), key)
		}
	}
	message := identityMessage(th)
	for _, key := range keys {
		if mldsa.Verify(key, message, signature, nil) == nil {
			return true
		}
	}
	return false
}
