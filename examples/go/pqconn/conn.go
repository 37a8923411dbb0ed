// Package pqconn binds package pqws to github.com/gorilla/websocket.
package pqconn

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"example.com/pqws/pqws"
	"github.com/gorilla/websocket"
)

const (
	controlWait = time.Second     // to write a close frame
	closeWait   = 2 * time.Second // for the peer's close frame, after ours
	writeBuffer = 64 << 10
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
// called for anything to arrive, closes included: what nobody reads holds the transport back.
type Conn struct {
	ws *websocket.Conn

	// Records must reach the transport in the order of their seq. Who sends locks write first, then mu; who receives
	// locks mu alone and lets go of it before it writes: a blocked sender never holds up the receiver. What the
	// receiver has to write is a Finished, before anyone else may send, or a close answer, after which nobody may.
	write   sync.Mutex
	mu      sync.Mutex
	session *pqws.Session

	messages chan pqws.Message
	opened   chan struct{} // the peer's Finished is accepted, and ours sent
	closing  chan struct{} // the application wants no more messages
	done     chan struct{} // the transport is gone
	stopOnce sync.Once

	timer         *time.Timer
	transportCode int
}

func newConn(ws *websocket.Conn, session *pqws.Session) *Conn {
	c := &Conn{
		ws: ws, session: session,
		messages: make(chan pqws.Message),
		opened:   make(chan struct{}),
		closing:  make(chan struct{}),
		done:     make(chan struct{}),
	}
	c.timer = time.AfterFunc(session.HandshakeTimeout(), func() { c.act((*pqws.Session).ExpireHandshake) })
	return c
}

// handshake does what the session says first and waits for the end of the handshake.
func (c *Conn) handshake(first func(*pqws.Session) pqws.Output) error {
	c.act(first)
	go c.receive()
	select {
	case <-c.opened:
		return nil
	case <-c.done:
		return &ClosedError{c.Status()}
	}
}

func (c *Conn) receive() {
	open := false
	for {
		kind, reader, err := c.ws.NextReader()
		if err == nil {
			var data []byte
			// One byte over the limit shows that there is more; NextReader skips the rest.
			if data, err = io.ReadAll(io.LimitReader(reader, int64(c.limit())+1)); err == nil {
				out, confirmed := c.judge(kind == websocket.TextMessage, data)
				c.perform(out)
				if confirmed && !open {
					open = true
					c.timer.Stop()
					close(c.opened)
				}
				c.deliver(out.Messages)
				continue
			}
		}
		c.finish(err)
		return
	}
}

func (c *Conn) limit() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.MaxTransportMessage()
}

func (c *Conn) judge(text bool, data []byte) (out pqws.Output, confirmed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out = c.session.Receive(text, data)
	return out, c.session.Confirmed()
}

func (c *Conn) deliver(messages []pqws.Message) {
	for _, m := range messages {
		select {
		case c.messages <- m:
		case <-c.closing:
			return
		}
	}
}

func (c *Conn) finish(err error) {
	code := websocket.CloseAbnormalClosure
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		code = closed.Code
	}
	c.ws.Close()
	c.timer.Stop()
	c.mu.Lock()
	c.transportCode = code
	c.session.TransportClosed(uint16(code))
	c.mu.Unlock()
	close(c.messages)
	close(c.done)
}

// act asks the session and does what it says.
func (c *Conn) act(ask func(*pqws.Session) pqws.Output) {
	c.mu.Lock()
	out := ask(c.session)
	c.mu.Unlock()
	c.perform(out)
}

// send is act for what the application sends.
func (c *Conn) send(ask func(*pqws.Session) (pqws.Output, error)) error {
	c.write.Lock()
	defer c.write.Unlock()
	c.mu.Lock()
	out, err := ask(c.session)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.transmit(out)
}

func (c *Conn) perform(out pqws.Output) {
	if len(out.Send) > 0 {
		c.write.Lock()
		defer c.write.Unlock()
	}
	_ = c.transmit(out) // a broken transport ends receive, which tells the session
}

func (c *Conn) transmit(out pqws.Output) error {
	for _, m := range out.Send {
		kind := websocket.BinaryMessage
		if m.Text {
			kind = websocket.TextMessage
		}
		if err := c.ws.WriteMessage(kind, m.Data); err != nil {
			c.ws.Close()
			return err
		}
	}
	if out.Close == 0 {
		return nil
	}
	c.mu.Lock()
	c.session.Drained()
	c.mu.Unlock()
	// WriteControl may run beside a writer and a reader that are blocked: a failure waits for neither.
	frame := websocket.FormatCloseMessage(int(out.Close), out.Reason)
	if err := c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(controlWait)); err != nil {
		return c.ws.Close()
	}
	return c.ws.SetReadDeadline(time.Now().Add(closeWait))
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

// Abort drops the transport.
func (c *Conn) Abort() {
	c.stop()
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

// Subprotocol is the application's, or "".
func (c *Conn) Subprotocol() string {
	if p := c.ws.Subprotocol(); p != pqws.FastOpenProtocol {
		return p
	}
	return ""
}
