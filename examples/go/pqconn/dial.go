package pqconn

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"example.com/pqws/pqws"
	"github.com/gorilla/websocket"
)

// A Dialer opens connections as a client.
type Dialer struct {
	Options      pqws.Options
	Subprotocols []string // none that pqws.Reserved has
	FastOpen     bool     // for servers known to support it (section 13); Options then had better offer one KEM alone
	Header       http.Header
}

// Dial returns when the server's Finished is accepted and all that Options ask for has passed.
func (d *Dialer) Dial(ctx context.Context, url string) (*Conn, error) {
	if slices.ContainsFunc(d.Subprotocols, pqws.Reserved) {
		return nil, errors.New("pqws: a subprotocol is pqws1 or begins with pqws1., which are the layer's")
	}
	options := d.Options
	options.Background = true
	session, err := pqws.NewClient(options)
	if err != nil {
		return nil, err
	}
	offer := d.Subprotocols
	if d.FastOpen {
		if !pqws.FitsFastOpen(session.ClientHello()) {
			return nil, errors.New("pqws: the hello is too long for fast open")
		}
		offer = pqws.FastOpenProtocols(offer, session.ClientHello())
	}
	// A Dialer of its own, without compression: lengths after compression would tell of contents.
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, WriteBufferSize: writeBuffer, Subprotocols: offer}
	ws, _, err := dialer.DialContext(ctx, url, d.Header)
	if err != nil {
		return nil, err
	}
	c := newConn(ws, session)
	stop := context.AfterFunc(ctx, c.Abort)
	defer stop()
	err = c.handshake(func(s *pqws.Session) pqws.Output {
		if refusal := s.Selected(ws.Subprotocol(), d.Subprotocols, d.FastOpen); refusal.Close != 0 {
			return refusal
		}
		return s.Start()
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}
