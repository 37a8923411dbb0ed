package pqws

import (
	"errors"

	"filippo.io/mldsa"
)

const signatureSize = mldsa.MLDSA65SignatureSize

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

func parsePins(pins [][]byte) ([]*mldsa.PublicKey, error) {
	keys := make([]*mldsa.PublicKey, 0, len(pins))
	for _, pin := range pins {
		key, err := mldsa.NewPublicKey(mldsa.MLDSA65(), pin)
		if err != nil {
			return nil, errors.New("pqws: a pin is an ML-DSA-65 public key of 1,952 bytes")
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func signedByOneOf(pins []*mldsa.PublicKey, th, signature []byte) bool {
	message := identityMessage(th)
	for _, key := range pins {
		if mldsa.Verify(key, message, signature, nil) == nil {
			return true
		}
	}
	return false
}
