package pqws

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"filippo.io/mldsa"
)

const (
	signatureSize = mldsa.MLDSA65SignatureSize
	publicKeySize = mldsa.MLDSA65PublicKeySize

	signatureMember = "ml_dsa_65_signature"
	publicKeyMember = "ml_dsa_65_public_key"
	documentMember  = "attestation_doc"
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

// A moment is when something is proved: in the handshake or in an exchange. It goes into what is signed and attested,
// so that nothing made for the one counts in the other.
type moment string

const (
	inHandshake moment = ""
	inExchange  moment = "exchange "
)

// identityMessage is what an end of that name signs (sections 4.2 and 11).
func identityMessage(when moment, end string, th []byte) []byte {
	return append([]byte(prefix+string(when)+end+" identity\x00"), th...)
}

// UserData is what an attestation document has to say (section 12). A service takes the bytes, or the text where it
// takes text alone.
type UserData struct {
	Bytes []byte
	Text  string // lower-case hex in place of the zero byte and the hash
}

// Covers tells whether a document with this user data attests what is due, in either form.
func (d UserData) Covers(userData []byte) bool {
	return bytes.Equal(userData, d.Bytes) || string(userData) == d.Text
}

func attestationUserData(when moment, th []byte) UserData {
	label := prefix + string(when) + "attestation"
	return UserData{append([]byte(label+"\x00"), th...), label + " " + hex.EncodeToString(th)}
}

// keys are a list of public keys and fingerprints: a client's pins, or the client keys that a server knows.
type keys struct {
	whole        []*mldsa.PublicKey
	fingerprints [][sha256.Size]byte
}

func (k keys) none() bool { return len(k.whole) == 0 && len(k.fingerprints) == 0 }

func parseKeys(given [][]byte) (k keys, err error) {
	if given != nil && len(given) == 0 {
		return keys{}, errors.New("pqws: an empty list of keys would trust nobody, or everybody")
	}
	for _, key := range given {
		if len(key) == sha256.Size {
			k.fingerprints = append(k.fingerprints, [sha256.Size]byte(key))
			continue
		}
		whole, err := mldsa.NewPublicKey(mldsa.MLDSA65(), key)
		if err != nil {
			return keys{}, errors.New("pqws: a key is an ML-DSA-65 public key of 1,952 bytes, or its SHA-256")
		}
		k.whole = append(k.whole, whole)
	}
	return k, nil
}

// has tells whether a raw public key is in the list, itself or by its fingerprint.
func (k keys) has(raw []byte) bool {
	isThis := func(key *mldsa.PublicKey) bool { return bytes.Equal(key.Bytes(), raw) }
	return slices.ContainsFunc(k.whole, isThis) || slices.Contains(k.fingerprints, sha256.Sum256(raw))
}

// signedBy finds the key of the list that has signed, or nil. The key that the peer sent counts for nothing unless its
// fingerprint is in the list; sent is nil where there is none or a malformed one.
func (k keys) signedBy(message, signature, sent []byte) *mldsa.PublicKey {
	candidates := k.whole
	if sent != nil && slices.Contains(k.fingerprints, sha256.Sum256(sent)) {
		key, err := mldsa.NewPublicKey(mldsa.MLDSA65(), sent)
		if err == nil {
			candidates = append(slices.Clone(candidates), key)
		}
	}
	for _, key := range candidates {
		if mldsa.Verify(key, message, signature, nil) == nil {
			return key
		}
	}
	return nil
}

// prove makes the content of a Finished: a signature over message, with its public key unless that is nil, and a
// document. Each is left out where there is no function for it.
func prove(signer Signer, message, publicKey []byte, attest func(UserData) ([]byte, error), due UserData) ([]byte, error) {
	var members objectMaker
	if signer != nil {
		signature, err := signer(message)
		if err != nil || len(signature) != signatureSize {
			return nil, refuse(CodeAuthentication, "the signer failed")
		}
		members.bytes(signatureMember, signature)
		if publicKey != nil {
			members.bytes(publicKeyMember, publicKey)
		}
	}
	if attest != nil {
		document, err := attest(due)
		if err != nil || len(document) == 0 {
			return nil, refuse(CodeAuthentication, "the attester failed")
		}
		members.bytes(documentMember, document)
	}
	content := members.end()
	if len(content) > maxFinished {
		return nil, refuse(CodeAuthentication, "the attester's document is too long")
	}
	return content, nil
}

// serverProofs is the content of Finished(server). In an exchange the public key is left out.
func (s *Session) serverProofs(when moment, th []byte) ([]byte, error) {
	message, due := identityMessage(when, "server", th), attestationUserData(when, th)
	return prove(s.options.Identity, message, s.sentKey(when), s.options.Attest, due)
}

// clientProofs is the content of Finished(client).
func (s *Session) clientProofs(when moment, th []byte) ([]byte, error) {
	signer := s.options.Identity
	if !s.features.clientIdentity {
		signer = nil
	}
	return prove(signer, identityMessage(when, "client", th), s.sentKey(when), nil, UserData{})
}

func (s *Session) sentKey(when moment) []byte {
	if when == inExchange {
		return nil
	}
	return s.options.PublicKey
}

// asksServer tells whether a client asks for anything beyond the agreement.
func (s *Session) asksServer() bool { return !s.pins.none() || s.options.VerifyAttestation != nil }

// verifyServer demands all that the client asked for, and looks at nothing else. In an exchange the signature must be
// by the very key that signed the handshake. It returns that key, where one had to sign.
func (s *Session) verifyServer(when moment, th []byte, finished map[string]json.RawMessage) (*mldsa.PublicKey, error) {
	var key *mldsa.PublicKey
	if !s.pins.none() {
		signature, err := base64Member(finished, signatureMember, signatureSize)
		if err != nil {
			return nil, refuse(CodeAuthentication, "signature is missing or malformed")
		}
		trusted, sent := s.pins, []byte(nil)
		if when == inExchange {
			trusted = keys{whole: []*mldsa.PublicKey{s.peerKey}}
		} else {
			sent, _ = base64Member(finished, publicKeyMember, publicKeySize)
		}
		key = trusted.signedBy(identityMessage(when, "server", th), signature, sent)
		if key == nil {
			return nil, refuse(CodeAuthentication, "signature is by no pinned key, or not by that of the handshake")
		}
	}
	if s.options.VerifyAttestation != nil {
		document, err := base64Member(finished, documentMember, 0)
		if err != nil {
			return nil, refuse(CodeAuthentication, "attestation document is missing or malformed")
		}
		if s.options.VerifyAttestation(document, attestationUserData(when, th)) != nil {
			return nil, refuse(CodeAuthentication, "attestation document is refused")
		}
	}
	return key, nil
}

// verifyClient demands the client's identity where it was agreed on: in the handshake a key that the server accepts
// and its signature, in an exchange a signature by that very key. With another, one registered client could take over
// the stolen session of another. It returns that key, where one had to sign.
func (s *Session) verifyClient(when moment, th []byte, finished map[string]json.RawMessage) (*mldsa.PublicKey, error) {
	if !s.features.clientIdentity {
		return nil, nil
	}
	signature, err := base64Member(finished, signatureMember, signatureSize)
	if err != nil {
		return nil, refuse(CodeAuthentication, "signature is missing or malformed")
	}
	message := identityMessage(when, "client", th)
	if when == inExchange {
		if mldsa.Verify(s.peerKey, message, signature, nil) != nil {
			return nil, refuse(CodeAuthentication, "signature is not by the key of the handshake")
		}
		return s.peerKey, nil
	}
	raw, err := base64Member(finished, publicKeyMember, publicKeySize)
	if err != nil {
		return nil, refuse(CodeAuthentication, "public key is missing or malformed")
	}
	key, err := mldsa.NewPublicKey(mldsa.MLDSA65(), raw)
	if err != nil || mldsa.Verify(key, message, signature, nil) != nil {
		return nil, refuse(CodeAuthentication, "signature is not by the key beside it")
	}
	if !s.clientKeys.has(raw) && (s.options.AcceptClientKey == nil || !s.options.AcceptClientKey(raw)) {
		return nil, refuse(CodeAuthentication, "the client's key is not accepted")
	}
	return key, nil
}
