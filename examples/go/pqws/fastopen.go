package pqws

import (
	"encoding/base64"
	"strings"
)

const (
	FastOpenProtocol = "pqws1"
	fastOpenPrefix   = "pqws1."
	maxFastOpenToken = 8000 // characters (rule 1)
)

// FitsFastOpen tells whether a hello may travel in an upgrade request; a longer one must not.
func FitsFastOpen(clientHello []byte) bool {
	return len(fastOpenPrefix)+base64.RawURLEncoding.EncodedLen(len(clientHello)) <= maxFastOpenToken
}

// FastOpenProtocols appends what carries ClientHello, which fits, in the upgrade request (section 13, rule 1).
func FastOpenProtocols(application []string, clientHello []byte) []string {
	offer := append([]string{}, application...)
	return append(offer, FastOpenProtocol, fastOpenPrefix+base64.RawURLEncoding.EncodeToString(clientHello))
}

// A FastOpenOffer is what a server reads from the subprotocols of an upgrade request.
type FastOpenOffer struct {
	Application []string // the application's own; it never sees the others
	ClientHello []byte   // for StartEarly, which judges it; nil: the text message is answered
	offered     bool
}

// Reserved tells whether a subprotocol is the layer's, in any case of its letters. No application may offer or accept it.
func Reserved(protocol string) bool {
	lower := strings.ToLower(protocol)
	return lower == FastOpenProtocol || strings.HasPrefix(lower, fastOpenPrefix)
}

func ReadFastOpen(protocols []string) FastOpenOffer {
	var offer FastOpenOffer
	var tokens []string
	names := 0
	for _, p := range protocols {
		switch {
		case p == FastOpenProtocol:
			names++
		case strings.HasPrefix(p, fastOpenPrefix):
			tokens = append(tokens, strings.TrimPrefix(p, fastOpenPrefix))
		case Reserved(p): // by its case not the layer's, and no application's
		default:
			offer.Application = append(offer.Application, p)
		}
	}
	offer.offered = names > 0
	if names != 1 || len(tokens) != 1 || len(fastOpenPrefix)+len(tokens[0]) > maxFastOpenToken {
		return offer
	}
	hello, err := base64.RawURLEncoding.DecodeString(tokens[0])
	if err != nil || base64.RawURLEncoding.EncodeToString(hello) != tokens[0] {
		return offer
	}
	offer.ClientHello = hello
	return offer
}

// Select chooses the subprotocol of the response: the first that is accepted of the application's, and pqws1 only
// if the application offered none (rule 5). "" is none.
func (o FastOpenOffer) Select(accepted []string) string {
	for _, p := range o.Application {
		for _, a := range accepted {
			if p == a {
				return p
			}
		}
	}
	if len(o.Application) == 0 && o.offered {
		return FastOpenProtocol
	}
	return ""
}
