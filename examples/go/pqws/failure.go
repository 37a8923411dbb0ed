// Package pqws is the protocol of PROTOCOL.md, profile v1, without I/O: bytes in, bytes and messages out.
// Package pqconn binds it to a WebSocket. Sections are those of PROTOCOL.md.
//
//	failure.go    section 10       codes, and what a failure is
//	options.go                     what an application chooses
//	kem.go        section 21       the KEMs
//	hello.go      section 4.1      the two hellos, strict JSON and base64, features, grease
//	schedule.go   sections 5, 6    transcript hash, keys, exporter
//	record.go     sections 7, 9    frames, kinds, batches, closes
//	padding.go    section 7.3
//	session.go    section 3        states, options, what an application and a binding call
//	handshake.go  section 4        the hellos and the Finisheds
//	receive.go    section 7.6      a frame arrives
//	send.go       sections 8, 9    the application sends, updates, closes
//	identity.go   sections 11, 12, 23  who signs and attests what, and who believes it
//	exchange.go   section 22       a fresh key agreement inside a running connection
//	heartbeat.go  section 24       sealed pings
//	timers.go                      the clocks of both
//	work.go                        signing, attesting and verifying beside everything else
//	fastopen.go   section 13
package pqws

import "fmt"

// Transport close codes (section 10).
const (
	CodeHandshake      uint16 = 3768
	CodeTimeout        uint16 = 3769
	CodeAuthentication uint16 = 3770
	CodeRecord         uint16 = 3771
	CodeViolation      uint16 = 3772
	CodeLimit          uint16 = 3773

	codeNormal     uint16 = 1000
	codeNoStatus   uint16 = 1005
	codeAbnormal   uint16 = 1006
	codeInternal   uint16 = 1011
	codeTryAgain   uint16 = 1013
	codeBadGateway uint16 = 1014
)

// A Failure ends a session. Check names the rule that was broken and holds nothing that the peer sent.
// It stays here: the transport says Code and a phrase that depends on Code alone.
type Failure struct {
	Code  uint16
	Check string
}

func (f *Failure) Error() string { return fmt.Sprintf("pqws: %d: %s", f.Code, f.Check) }

func refuse(code uint16, check string) error { return &Failure{Code: code, Check: check} }

func reasonOf(code uint16) string {
	switch code {
	case CodeHandshake:
		return "handshake refused"
	case CodeTimeout:
		return "handshake timeout"
	case CodeAuthentication:
		return "authentication failed"
	case CodeRecord:
		return "record refused"
	case CodeViolation:
		return "protocol violation"
	case CodeLimit:
		return "limit exceeded"
	case codeTryAgain:
		return "too many pending handshakes"
	}
	return ""
}
