package pqws

import (
	"bytes"
	"crypto/mlkem"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxHello = 16384

var (
	errNoObject = errors.New("not a JSON object")
	errBase64   = errors.New("not the canonical base64 of a value of the right length")
)

// parseObject takes one JSON object in valid UTF-8. encoding/json alone is too lax: it repairs bad UTF-8, and it
// takes `null` for an empty map. Of a member that comes twice the last counts, which section 2 allows. A map keeps
// names apart by case, where a struct with tags would not.
func parseObject(data []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) || !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return nil, errNoObject
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, errNoObject
	}
	return object, nil
}

// base64Member reads a string member of canonical base64; size 0 takes any length but none.
func base64Member(object map[string]json.RawMessage, name string, size int) ([]byte, error) {
	raw := object[name]
	var text string
	// A JSON null would leave text as it is, without an error.
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return nil, errBase64
	}
	value, err := base64.StdEncoding.DecodeString(text)
	// Encoded again, since the decoder passes over line ends and unused bits.
	if err != nil || base64.StdEncoding.EncodeToString(value) != text {
		return nil, errBase64
	}
	if len(value) != size && (size != 0 || len(value) == 0) {
		return nil, errBase64
	}
	return value, nil
}

// isOne tells whether a JSON number is 1 in any spelling. It compares decimals, not float64s, for which
// 1.00000000000000000001 is 1 too.
func isOne(raw json.RawMessage) bool {
	if len(raw) == 0 || raw[0] < '0' || raw[0] > '9' {
		return false
	}
	mantissa, power, _ := strings.Cut(strings.ToLower(string(raw)), "e")
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil || exponent > maxHello || exponent < -maxHello {
			return false // no mantissa that fits into a hello makes that 1
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	one := len(whole) + exponent - 1 // where the digit of 10^0 stands
	return one >= 0 && one < len(digits) && digits[one] == '1' &&
		strings.Trim(digits[:one]+digits[one+1:], "0") == ""
}

// parseHello does the checks that both hellos share and returns the member that matters.
func parseHello(text bool, data []byte, member string, size int) ([]byte, error) {
	if !text {
		return nil, refuse(CodeHandshake, "hello is a binary message")
	}
	if len(data) > maxHello {
		return nil, refuse(CodeHandshake, "hello over 16,384 bytes")
	}
	object, err := parseObject(data)
	if err != nil {
		return nil, refuse(CodeHandshake, "hello is "+err.Error())
	}
	if !isOne(object["pq_websocket"]) {
		return nil, refuse(CodeHandshake, "pq_websocket is not the number 1")
	}
	value, err := base64Member(object, member, size)
	if err != nil {
		return nil, refuse(CodeHandshake, member+" is "+err.Error())
	}
	return value, nil
}

func parseClientHello(text bool, data []byte) (*mlkem.EncapsulationKey768, error) {
	raw, err := parseHello(text, data, "ml_kem_768_encapsulation_key", mlkem.EncapsulationKeySize768)
	if err != nil {
		return nil, err
	}
	key, err := mlkem.NewEncapsulationKey768(raw) // the modulus check of FIPS 203 section 7.2
	if err != nil {
		return nil, refuse(CodeHandshake, "encapsulation key fails the modulus check")
	}
	return key, nil
}

func parseServerHello(text bool, data []byte) ([]byte, error) {
	return parseHello(text, data, "ml_kem_768_ciphertext", mlkem.CiphertextSize768)
}

// Base64 and member names need no escapes, so that the hellos are plain concatenations.
func makeClientHello(key *mlkem.EncapsulationKey768) []byte {
	return []byte(`{"pq_websocket":1,"ml_kem_768_encapsulation_key":"` + base64.StdEncoding.EncodeToString(key.Bytes()) + `"}`)
}

func makeServerHello(ciphertext []byte) []byte {
	return []byte(`{"pq_websocket":1,"ml_kem_768_ciphertext":"` + base64.StdEncoding.EncodeToString(ciphertext) + `"}`)
}
