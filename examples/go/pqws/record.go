package pqws

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// Kinds of records (section 7.2).
const (
	kindText        byte = 1
	kindBinary      byte = 2
	kindBatch       byte = 3
	kindClose       byte = 4
	kindUpdate      byte = 5
	kindFinished    byte = 6
	kindCloseAnswer byte = 7

	// Known where the hellos agreed on exchanges.
	kindExchangeWanted byte = 8
	kindExchangeOffer  byte = 9
	kindExchangeAnswer byte = 10
	kindExchangeEnd    byte = 11

	// Known where the hellos agreed on sealed pings.
	kindPing byte = 12
	kindPong byte = 13
)

const (
	maxBatch    = 262144
	maxReason   = 123
	maxFinished = 65536
)

// A Message is what the application sends and receives.
type Message struct {
	Text bool // else binary
	Data []byte
}

func (m Message) kind() byte {
	if m.Text {
		return kindText
	}
	return kindBinary
}

// maxInner is the longest inner that a receiver takes (section 7.5).
func maxInner(maxPayload int) int {
	return max(maxPayload, maxBatch)*9/8 + 65536
}

// splitInner finds the kind behind the padding. Kind 0 is none.
func splitInner(inner []byte) (kind byte, content []byte) {
	for i := len(inner) - 1; i >= 0; i-- {
		if inner[i] != 0 {
			return inner[i], inner[:i]
		}
	}
	return 0, nil
}

// parseMessages takes the content of a text, binary or batch record apart, without a copy. All of the structure is
// judged before any payload (section 7.6, steps 8 and 9), and all payloads before the first is delivered.
func parseMessages(kind byte, content []byte, maxPayload int) ([]Message, error) {
	messages := []Message{{Text: kind == kindText, Data: content}}
	if kind == kindBatch {
		var err error
		if messages, err = parseBatch(content); err != nil {
			return nil, err
		}
	}
	for _, m := range messages {
		if len(m.Data) > maxPayload {
			return nil, refuse(CodeLimit, "message over maxPayload")
		}
		if m.Text && !utf8.Valid(m.Data) {
			return nil, refuse(CodeViolation, "text is not valid UTF-8")
		}
	}
	return messages, nil
}

func parseBatch(content []byte) ([]Message, error) {
	if len(content) == 0 {
		return nil, refuse(CodeViolation, "batch is empty")
	}
	if len(content) > maxBatch {
		return nil, refuse(CodeViolation, "batch over 262,144 bytes")
	}
	var messages []Message
	for len(content) > 0 {
		if len(content) < 5 {
			return nil, refuse(CodeViolation, "batch header cut off")
		}
		kind, size := content[0], binary.BigEndian.Uint32(content[1:5])
		content = content[5:]
		if kind != kindText && kind != kindBinary {
			return nil, refuse(CodeViolation, "batch entry of another kind")
		}
		if uint64(size) > uint64(len(content)) {
			return nil, refuse(CodeViolation, "batch payload cut off")
		}
		messages = append(messages, Message{Text: kind == kindText, Data: content[:size:size]})
		content = content[size:]
	}
	return messages, nil
}

func makeBatch(messages []Message) ([]byte, error) {
	size := 0
	for _, m := range messages {
		size += 5 + len(m.Data)
	}
	if size > maxBatch {
		return nil, errors.New("pqws: a batch has at most 262,144 bytes")
	}
	content := make([]byte, 0, size)
	for _, m := range messages {
		content = append(content, m.kind())
		content = binary.BigEndian.AppendUint32(content, uint32(len(m.Data)))
		content = append(content, m.Data...)
	}
	return content, nil
}

// ValidCloseCode tells whether a sealed close may carry the code (section 9).
func ValidCloseCode(code uint16) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// parseClose gives 1005 for an empty close, as an application sees it.
func parseClose(content []byte) (code uint16, reason string, err error) {
	switch {
	case len(content) == 0:
		return codeNoStatus, "", nil
	case len(content) == 1 || len(content) > 2+maxReason:
		return 0, "", refuse(CodeViolation, "close of a wrong length")
	}
	code = binary.BigEndian.Uint16(content)
	if !ValidCloseCode(code) {
		return 0, "", refuse(CodeViolation, "close with a code that is not allowed")
	}
	if !utf8.Valid(content[2:]) {
		return 0, "", refuse(CodeViolation, "close reason is not valid UTF-8")
	}
	return code, string(content[2:]), nil
}

// makeClose makes an empty close of code 0.
func makeClose(code uint16, reason string) ([]byte, error) {
	if code == 0 && reason == "" {
		return nil, nil
	}
	if !ValidCloseCode(code) {
		return nil, errors.New("pqws: close code not allowed")
	}
	if len(reason) > maxReason || !utf8.ValidString(reason) {
		return nil, errors.New("pqws: a close reason is valid UTF-8 of at most 123 bytes")
	}
	return append(binary.BigEndian.AppendUint16(nil, code), reason...), nil
}
