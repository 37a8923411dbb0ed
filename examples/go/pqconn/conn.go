// Package pqconn binds package pqws to github.com/gorilla/websocket.
package pqconn

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.com/pqws/pqws"
	"github.com/gorilla/websocket"
)

// A ClosedError is what Read returns after the last message.
type ClosedError struct{ pqws.CloseStatus }

func (e *ClosedError) Error() string {
	if e.Failure != nil {
		return e.Failure.Error()
	}
	return fmt.Sprintf("pqws: closed with %d, clean: %t", e.Code, e.Clean)
}

// A Conn is one end of a connection whose handshake is done. Its methods may be called concurrently. Read has to be
// called for anything to arrive, closes, pongs and exchanges included: what nobody reads holds the transport back.
type Conn struct {
	*driver
	stopOnce sync.Once
}

func newConn(ws *websocket.Conn, session *pqws.Session) *Conn {
	return &Conn{driver: newDriver(ws, session)}
}

// handshake does what the session says first and waits for the end of the handshake.
func (c *Conn) handshake(first func(*pqws.Session) pqws.Output) error {
	c.act(first)
	go c.write()
	go c.receive()
	select {
	case <-c.opened:
		c.mu.Lock()
		defer c.mu.Unlock()
		_ = c.flushed() // a transport that is gone by now ends the open connection
		return nil
	case <-c.done:
		return &ClosedError{c.Status()}
	}
}

// flushed needs mu. It returns when all that is in the queue now has been handed to the transport.
func (c *Conn) flushed() error {
	for ticket := c.queued; c.written < ticket; c.changed.Wait() {
		if c.writeErr != nil {
			return c.writeErr
		}
		if c.over || c.session.State() == pqws.Failed {
			return pqws.ErrNotOpen
		}
	}
	return c.writeErr
}

// send returns when what the session gives out has been handed to the transport.
func (c *Conn) send(ask func(*pqws.Session) (pqws.Output, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, err := ask(c.session)
	if err != nil {
		return err
	}
	c.perform(out)
	return c.flushed()
}

// await needs mu. It waits for a condition that holds in an open connection.
func (c *Conn) await(ctx context.Context, holds func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer stop()
	for !holds() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.session.State() != pqws.Open {
			return pqws.ErrNotOpen
		}
		c.changed.Wait()
	}
	return nil
}

// Read returns the next message, or a *ClosedError after the last one.
func (c *Conn) Read() (pqws.Message, error) {
	if m, ok := <-c.messages; ok {
		return m, nil
	}
	<-c.done
	return pqws.Message{}, &ClosedError{c.Status()}
}

func (c *Conn) SendText(text string) error {
	return c.Send(pqws.Message{Text: true, Data: []byte(text)})
}

func (c *Conn) SendBinary(data []byte) error { return c.Send(pqws.Message{Data: data}) }

func (c *Conn) Send(m pqws.Message) error {
	return c.send(func(s *pqws.Session) (pqws.Output, error) { return s.Send(m) })
}

// SendBatch sends messages as one record.
func (c *Conn) SendBatch(messages []pqws.Message) error {
	return c.send(func(s *pqws.Session) (pqws.Output, error) { return s.SendBatch(messages) })
}

// Update makes the next record go into a new epoch.
func (c *Conn) Update() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session.Update()
}

// Exchange renews the connection's keys from fresh randomness of both ends, so that who has stolen an end's state is out
// of the connection, unless he takes part in this. It returns when an exchange that has begun since is complete here.
// pqws.ErrNoExchange: an end has them off. pqws.ErrNotOpen: the connection closes or has ended before.
func (c *Conn) Exchange(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	target, out, err := c.session.RequestExchange()
	if err != nil {
		return err
	}
	c.perform(out)
	return c.await(ctx, func() bool { return c.session.Generation() >= target })
}

// Generation counts the exchanges that are complete here.
func (c *Conn) Generation() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.Generation()
}

// Ping sends a sealed ping with at most 125 bytes and returns when its pong has come: the peer's program answers, not
// only its transport. pqws.ErrNoHeartbeat: an end has them off.
func (c *Conn) Ping(ctx context.Context, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, out, err := c.session.Ping(data)
	if err != nil {
		return err
	}
	c.perform(out)
	return c.await(ctx, func() bool { return c.ponged >= id })
}

func (c *Conn) SetPadding(p pqws.Padding) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.SetPadding(p)
}

// Close sends a sealed close (code 0: an empty one), discards what still arrives, and waits for the end.
func (c *Conn) Close(code uint16, reason string) (pqws.CloseStatus, error) {
	err := c.send(func(s *pqws.Session) (pqws.Output, error) { return s.Close(code, reason) })
	if err != nil {
		return pqws.CloseStatus{}, err
	}
	c.stop()
	timer := time.AfterFunc(pqws.CloseTimeout, func() { c.act((*pqws.Session).ExpireClose) })
	defer timer.Stop()
	<-c.done
	return c.Status(), nil
}

// Abort drops the transport. Where it is being closed already, Abort waits for that, so that the peer sees the code.
func (c *Conn) Abort() {
	c.stop()
	c.mu.Lock()
	ending := c.ending || c.last != nil // the writer may not have come to it yet
	if c.session.Holding() {            // and so the reader, which would see the end
		c.session.TransportClosed(websocket.CloseAbnormalClosure)
		c.changed.Broadcast()
	}
	c.mu.Unlock()
	if ending {
		select {
		case <-c.done:
		case <-time.After(controlWait + closeWait): // behind a write that the peer does not take
		}
	}
	c.ws.Close()
}

func (c *Conn) stop() { c.stopOnce.Do(func() { close(c.closing) }) }

func (c *Conn) Status() pqws.CloseStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.Status()
}

// TransportCode is the close code of the transport, once it is closed.
func (c *Conn) TransportCode() int {
	<-c.done
	return c.transportCode
}

func (c *Conn) Stats() pqws.Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.Stats()
}

func (c *Conn) ExportKey(label string, size int) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.ExportKey(label, size)
}

func (c *Conn) TranscriptHash() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.TranscriptHash()
}

// KEM is what the handshake ran with.
func (c *Conn) KEM() pqws.KEM {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.KEM()
}

// PeerKey is the public key that the peer has proved to have: a client's at a server that demands one, the server's at
// a client that pins it; nil where nobody had to.
func (c *Conn) PeerKey() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.PeerKey()
}

// Subprotocol is the application's, or "".
func (c *Conn) Subprotocol() string {
	if p := c.ws.Subprotocol(); p != pqws.FastOpenProtocol {
		return p
	}
	return ""
}
