package pqws

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// The types of test/vectors/README.md.

type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	value, err := hex.DecodeString(text)
	*h = value
	return err
}

// longText is a string or pieces to be joined; long hex is one to be decoded.
type longText string

func (l *longText) UnmarshalJSON(raw []byte) error {
	var pieces []json.RawMessage
	if raw[0] != '[' {
		pieces = []json.RawMessage{raw}
	} else if err := json.Unmarshal(raw, &pieces); err != nil {
		return err
	}
	var b strings.Builder
	for _, piece := range pieces {
		repeated := struct {
			Repeat string
			Times  int
		}{Times: 1}
		target := any(&repeated)
		if piece[0] == '"' {
			target = &repeated.Repeat
		}
		if err := json.Unmarshal(piece, target); err != nil {
			return err
		}
		b.WriteString(strings.Repeat(repeated.Repeat, repeated.Times))
	}
	*l = longText(b.String())
	return nil
}

type vectorMessage struct {
	Text   *longText
	Binary *longText
	Seal   *struct {
		Key, Nonce, Aad hexBytes
		Inner           longText
		FrameSha256     hexBytes
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	value, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// bytes of the transport message, made here where the vectors only say how.
func (m vectorMessage) bytes(t testing.TB) (text bool, data []byte) {
	t.Helper()
	switch {
	case m.Text != nil:
		return true, []byte(*m.Text)
	case m.Binary != nil:
		return false, unhex(t, string(*m.Binary))
	case m.Seal == nil:
		t.Fatal("a message of no kind")
	}
	block, err := aes.NewCipher(m.Seal.Key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	frame := aead.Seal(bytes.Clone(m.Seal.Nonce), m.Seal.Nonce, unhex(t, string(m.Seal.Inner)), m.Seal.Aad)
	if sum := sha256.Sum256(frame); !bytes.Equal(sum[:], m.Seal.FrameSha256) {
		t.Fatal("the frame that the vectors describe has another SHA-256")
	}
	return false, frame
}

func (m vectorMessage) delivered(t testing.TB) Message {
	text, data := m.bytes(t)
	return Message{Text: text, Data: data}
}

type vectorRecord struct {
	Name, From             string
	Seq, Epoch             uint64
	Kind                   byte
	Content                hexBytes
	Padding                int
	Key, Nonce, Aad, Inner hexBytes
	Frame                  hexBytes
	Delivers               []vectorMessage
}

type vectorSession struct {
	ClientHello, ServerHello string
	Context                  hexBytes
	Th, Ss                   hexBytes
	Secrets                  []struct {
		Name, Ikm      string
		Prk, Info, Okm hexBytes
	}
	Exports []struct {
		Name, Label         string
		Length              int
		Info, Bytes, Sha256 hexBytes
	}
	ServerFinished, ClientFinished vectorRecord
}

type vectorStep struct {
	Receive *vectorMessage
	Close   *struct {
		Code   uint16
		Reason string
	}
}

type vectorCase struct {
	Name, To                           string
	Before                             []vectorStep
	Pins                               []string
	Message                            vectorMessage
	Delivers                           []vectorMessage
	Code                               uint16
	Th, ServerFinished, ClientFinished hexBytes
}

type vectorSees struct {
	Code   uint16
	Reason string
}

type vectorFile struct {
	Inputs struct {
		KeySeed, M hexBytes
		MaxPayload int
	}
	Kem         struct{ EncapsulationKey, Ciphertext, SharedSecret hexBytes }
	Transcripts []struct {
		Name, ClientHello, ServerHello string
		Context, Input, Th             hexBytes
	}
	Session, SessionWithContext           vectorSession
	ClientRecords, ServerRecords          []vectorRecord
	AcceptedFrames, RefusedFrames         []vectorCase
	AcceptedHellos, RefusedHellos         []vectorCase
	AcceptedFinished, RefusedFinished     []vectorCase
	AcceptedCloseCodes, RefusedCloseCodes []uint16
	Endings                               []struct {
		Name, By, Reason string
		Code             uint16
		Close, Answer    vectorRecord
	}
	Crossings []struct {
		Name                   string
		Client, Server         vectorRecord
		ClientSees, ServerSees vectorSees
	}
	ServerIdentity struct {
		Keys []struct {
			Name            string
			Seed, PublicKey hexBytes
		}
		SignedBytes, Signature hexBytes
		ServerFinished         vectorRecord
	}
	Attestation struct {
		UserData, Document hexBytes
		ServerFinished     vectorRecord
		RefusedFinished    []vectorCase
	}
	ImplicitRejection struct {
		ServerHello                         string
		SharedSecretOfTheClient, Th         hexBytes
		Message, MessageUnderTheRightSecret vectorMessage
		Code                                uint16
	}
	FastOpen struct {
		ClientHello, Token string
		Offered            []struct {
			Name                   string
			Application, Protocols []string
			Select                 string
		}
		IgnoredTokens []struct {
			Name      string
			Protocols []string
		}
		RefusedFirstMessages []vectorCase
	}
	Padding struct {
		Blocks []struct {
			Block   int
			Lengths [][2]int
		}
		Padme [][2]int
	}
}
