package pqconn

import (
	"errors"
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
	// A write, or the application's taking of a message, that lasts longer has waited for somebody.
	waited = 10 * time.Millisecond
)

// A driver carries what a session says between it and its transport. One goroutine reads, one writes, and a timer fires
// in a third. Whoever asks the session anything holds mu, and puts what it gives out into the queue before letting go:
// so records reach the transport in the order of their seq, and a blocked writer never holds up the reader.
type driver struct {
	ws *websocket.Conn

	mu      sync.Mutex
	session *pqws.Session
	changed *sync.Cond // anything below, or of the session, has

	queue           []pqws.TransportMessage
	queued, written uint64       // messages, of the whole connection
	last            *pqws.Output // closes the transport behind the queue
	writing         bool
	writeErr        error
	ending          bool // the transport's closing handshake is under way; it is bounded
	over            bool // the transport is gone
	delivering      bool // nobody reads the transport, since the application takes no message
	ponged          uint64

	clock *time.Timer
	armed time.Time // when the clock fires; zero: it does not

	messages chan pqws.Message
	opened   chan struct{} // the peer's Finished is accepted, and ours sent
	closing  chan struct{} // the application wants no more messages
	done     chan struct{} // the transport is gone

	handshakeTimer *time.Timer
	transportCode  int
}

func newDriver(ws *websocket.Conn, session *pqws.Session) *driver {
	d := &driver{
		ws: ws, session: session,
		messages: make(chan pqws.Message),
		opened:   make(chan struct{}),
		closing:  make(chan struct{}),
		done:     make(chan struct{}),
	}
	d.changed = sync.NewCond(&d.mu)
	d.clock = time.AfterFunc(time.Hour, d.tick)
	d.handshakeTimer = time.AfterFunc(session.HandshakeTimeout(), func() { d.act((*pqws.Session).ExpireHandshake) })
	return d
}

// act asks the session, and does what it says.
func (d *driver) act(ask func(*pqws.Session) pqws.Output) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.perform(ask(d.session))
}

// perform needs mu, as all that follows up to receive does.
func (d *driver) perform(out pqws.Output) {
	d.queue = append(d.queue, out.Send...)
	d.queued += uint64(len(out.Send))
	d.ponged = max(d.ponged, out.Ponged)
	if work := out.Work; work != nil {
		go func() {
			work.Do()
			d.act(func(s *pqws.Session) pqws.Output { return s.Complete(work) })
		}()
	}
	switch {
	case out.Terminate:
		d.ws.Close()
	case out.Close == 0:
	case d.session.State() == pqws.Failed:
		d.queue, d.ending = nil, true // a failure waits for nothing that is still to be written
		go d.closeTransport(out.Close, out.Reason)
	default:
		d.last = &out
	}
	d.arm()
	d.changed.Broadcast()
}

// arm sets the clock where the session's timer comes before it. It may fire for nothing, and is set again then.
func (d *driver) arm() {
	due := d.session.NextTimer()
	if due.IsZero() || !d.armed.IsZero() && !due.Before(d.armed) {
		return
	}
	d.armed = due
	d.clock.Reset(time.Until(due))
}

func (d *driver) tick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = time.Time{}
	if d.over {
		return
	}
	if d.delivering {
		d.session.Excuse()
	}
	d.perform(d.session.Tick())
}

// write hands the queue over, until the transport is closed.
func (d *driver) write() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		for len(d.queue) == 0 && d.last == nil && !d.over {
			d.changed.Wait()
		}
		switch {
		case d.over:
			return
		case len(d.queue) > 0:
			d.writeErr = d.writeFirst()
			d.changed.Broadcast()
			if d.writeErr != nil {
				d.ws.Close() // which ends the reader, and it tells the session
				return
			}
			if len(d.queue) == 0 && d.last == nil && !d.over {
				d.perform(d.session.Drained())
			}
		default:
			last := *d.last
			d.last, d.ending = nil, true
			d.perform(d.session.Drained())
			d.mu.Unlock()
			d.closeTransport(last.Close, last.Reason)
			d.mu.Lock()
		}
	}
}

// writeFirst lets go of mu while it writes.
func (d *driver) writeFirst() error {
	message := d.queue[0]
	d.queue = d.queue[1:]
	kind := websocket.BinaryMessage
	if message.Text {
		kind = websocket.TextMessage
	}
	d.writing = true
	d.mu.Unlock()
	began := time.Now()
	err := d.ws.WriteMessage(kind, message.Data)
	slow := time.Since(began) > waited
	d.mu.Lock()
	d.writing = false
	d.written++
	if slow {
		d.session.Excuse() // the transport was full, and no longer is
	}
	return err
}

// closeTransport may run beside a writer and a reader that are blocked. It is called without mu.
func (d *driver) closeTransport(code uint16, reason string) {
	frame := websocket.FormatCloseMessage(int(code), reason)
	if d.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(controlWait)) != nil {
		d.ws.Close()
		return
	}
	_ = d.ws.SetReadDeadline(time.Now().Add(closeWait))
}

// receive reads until the transport ends.
func (d *driver) receive() {
	open := false
	for {
		kind, reader, err := d.ws.NextReader()
		if err == nil {
			var data []byte
			// One byte over the limit shows that there is more; NextReader skips the rest.
			if data, err = io.ReadAll(io.LimitReader(reader, int64(d.limit())+1)); err == nil {
				messages, confirmed := d.judge(kind == websocket.TextMessage, data)
				if confirmed && !open {
					open = true
					d.handshakeTimer.Stop()
					close(d.opened)
				}
				d.deliver(messages)
				continue
			}
		}
		d.finish(err)
		return
	}
}

func (d *driver) limit() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session.MaxTransportMessage()
}

func (d *driver) judge(text bool, data []byte) (messages []pqws.Message, confirmed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.session.Receive(text, data)
	d.perform(out)
	d.delivering = len(out.Messages) > 0
	for d.session.Holding() { // read nothing that would wait
		d.changed.Wait()
	}
	return out.Messages, d.session.Confirmed()
}

// deliver gives the application its messages. What the peer has not answered meanwhile may be waiting to be read.
func (d *driver) deliver(messages []pqws.Message) {
	if len(messages) == 0 {
		return
	}
	began := time.Now()
	for _, m := range messages {
		select {
		case d.messages <- m:
			continue
		case <-d.closing:
		}
		break
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delivering = false
	if time.Since(began) > waited {
		d.session.Excuse()
	}
}

func (d *driver) finish(err error) {
	code := websocket.CloseAbnormalClosure
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		code = closed.Code
	}
	d.ws.Close()
	d.handshakeTimer.Stop()
	d.clock.Stop()
	d.mu.Lock()
	d.transportCode = code
	for d.writing { // the peer may have had all of it, and closed, before the writer could say so
		d.changed.Wait()
	}
	if d.writeErr == nil && len(d.queue) == 0 {
		d.session.Drained()
	}
	d.session.TransportClosed(uint16(code))
	d.over = true
	d.changed.Broadcast()
	d.mu.Unlock()
	close(d.messages)
	close(d.done)
}
