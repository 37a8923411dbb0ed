package pqws

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxHello = 16384

// Members of the hellos that stand for a feature (section 14). Their value is the number 1.
const (
	exchangeMember       = "exchange"
	clientIdentityMember = "client_identity"
	heartbeatMember      = "heartbeat"
	greasePrefix         = "grease_"
)

// features are what a hello offers or answers.
type features struct{ exchange, clientIdentity, heartbeat bool }

// and is what both have.
func (f features) and(g features) features {
	return features{f.exchange && g.exchange, f.clientIdentity && g.clientIdentity, f.heartbeat && g.heartbeat}
}

type featureMember struct {
	name string
	on   *bool
}

func (f *features) members() []featureMember {
	return []featureMember{
		{exchangeMember, &f.exchange}, {clientIdentityMember, &f.clientIdentity}, {heartbeatMember, &f.heartbeat},
	}
}

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

// parseHello does the checks that both hellos share.
func parseHello(text bool, data []byte) (map[string]json.RawMessage, error) {
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
	return object, nil
}

// A clientOffer is what a server reads in ClientHello.
type clientOffer struct {
	scheme   *scheme // the first of the server's list that is offered
	key      encapsulationKey
	features features
}

// parseClientHello takes the first KEM of accepted that is offered. A malformed key for any of them is refused, even
// where another is taken; members for other KEMs are ignored, whatever they are.
func parseClientHello(text bool, data []byte, accepted []*scheme) (clientOffer, error) {
	object, err := parseHello(text, data)
	if err != nil {
		return clientOffer{}, err
	}
	var offer clientOffer
	for _, s := range accepted {
		if _, present := object[s.keyMember]; !present {
			continue
		}
		raw, err := base64Member(object, s.keyMember, s.keySize)
		if err != nil {
			return clientOffer{}, refuse(CodeHandshake, s.keyMember+" is "+err.Error())
		}
		key, err := s.parse(raw) // the modulus check of FIPS 203 section 7.2
		if err != nil {
			return clientOffer{}, refuse(CodeHandshake, s.keyMember+" fails the key's check")
		}
		if offer.scheme == nil {
			offer.scheme, offer.key = s, key
		}
	}
	if offer.scheme == nil {
		return clientOffer{}, refuse(CodeHandshake, "no KEM of this server's is offered")
	}
	for _, member := range offer.features.members() {
		*member.on = isOne(object[member.name]) // any other value is no offer
	}
	return offer, nil
}

// A serverAnswer is what a client reads in ServerHello.
type serverAnswer struct {
	scheme     *scheme
	ciphertext []byte
	features   features
}

// parseServerHello demands exactly one ciphertext, of a KEM that was offered, and no answer to what was not offered.
func parseServerHello(text bool, data []byte, offered []*scheme, asked features) (serverAnswer, error) {
	object, err := parseHello(text, data)
	if err != nil {
		return serverAnswer{}, err
	}
	var answer serverAnswer
	for _, s := range schemes {
		if _, present := object[s.ciphertextMember]; !present {
			continue
		}
		if answer.scheme != nil {
			return serverAnswer{}, refuse(CodeHandshake, "ServerHello has two ciphertexts")
		}
		answer.scheme = s
	}
	if answer.scheme == nil {
		return serverAnswer{}, refuse(CodeHandshake, "ServerHello has no ciphertext")
	}
	if !slices.Contains(offered, answer.scheme) {
		return serverAnswer{}, refuse(CodeHandshake, "ServerHello's ciphertext is of a KEM that was not offered")
	}
	if answer.ciphertext, err = base64Member(object, answer.scheme.ciphertextMember, answer.scheme.ciphertextSize); err != nil {
		return serverAnswer{}, refuse(CodeHandshake, answer.scheme.ciphertextMember+" is "+err.Error())
	}
	offeredFeatures := asked.members()
	for i, member := range answer.features.members() {
		raw, present := object[member.name]
		if present && (!*offeredFeatures[i].on || !isOne(raw)) {
			return serverAnswer{}, refuse(CodeHandshake, member.name+" was not offered, or is not the number 1")
		}
		*member.on = present
	}
	return answer, nil
}

// An objectMaker writes a JSON object. Base64 and member names need no escapes, so that it is a plain concatenation.
type objectMaker struct{ text []byte }

func newHello() *objectMaker {
	hello := &objectMaker{}
	hello.raw("pq_websocket", "1")
	return hello
}

func (o *objectMaker) bytes(name string, value []byte) {
	o.raw(name, `"`+base64.StdEncoding.EncodeToString(value)+`"`)
}

func (o *objectMaker) raw(name, value string) {
	separator := byte(',')
	if len(o.text) == 0 {
		separator = '{'
	}
	o.text = append(append(o.text, separator), `"`+name+`":`+value...)
}

func (o *objectMaker) features(f features) {
	for _, member := range f.members() {
		if *member.on {
			o.raw(member.name, "1")
		}
	}
}

func (o *objectMaker) end() []byte {
	if len(o.text) == 0 {
		return []byte("{}")
	}
	return append(o.text, '}')
}

// greaseValues have a value of every type of JSON's.
var greaseValues = []string{"1", "-1.5e3", "null", "true", "false", `""`, `"grease"`, "[]", "[1,[2]]", "{}", `{"a":null}`}

// grease adds one member that no peer knows, so that one which refuses unknown members fails the first time. random has
// two bytes or more.
func (o *objectMaker) grease(random []byte) {
	name := greasePrefix + base64.RawURLEncoding.EncodeToString(random[1:])
	o.raw(name, greaseValues[int(random[0])%len(greaseValues)])
}
