package pqws

import (
	"errors"
	"io"
	"unicode/utf8"
)

// ErrNotOpen is what sending in a state that does not allow it returns.
var ErrNotOpen = errors.New("pqws: the connection is not open")

// Send seals one message. A server may send from its Finished on.
func (s *Session) Send(message Message) (Output, error) {
	if message.Text && !utf8.Valid(message.Data) {
		return Output{}, errors.New("pqws: text is not valid UTF-8")
	}
	return s.sendRecord(message.kind(), message.Data)
}

// SendBatch seals messages as one record. One alone is no batch, and none is nothing.
func (s *Session) SendBatch(messages []Message) (Output, error) {
	if len(messages) == 0 {
		return Output{}, nil
	}
	if len(messages) == 1 {
		return s.Send(messages[0])
	}
	for _, m := range messages {
		if m.Text && !utf8.Valid(m.Data) {
			return Output{}, errors.New("pqws: text is not valid UTF-8")
		}
	}
	content, err := makeBatch(messages)
	if err != nil {
		return Output{}, err
	}
	return s.sendRecord(kindBatch, content)
}

// Update makes the next message's record go into a new epoch. Nothing travels before: a sender's update is followed
// at once by the record that caused it (section 8).
func (s *Session) Update() { s.updateWanted = true }

// SetPadding holds for every record from now on.
func (s *Session) SetPadding(padding Padding) error {
	if err := padding.check(); err != nil {
		return err
	}
	s.options.Padding = padding
	return nil
}

// Close sends a sealed close; code 0 is an empty one. Before the state allows that, it closes the transport alone.
func (s *Session) Close(code uint16, reason string) (Output, error) {
	content, err := makeClose(code, reason)
	if err != nil {
		return Output{}, err
	}
	next := CloseSent
	switch {
	case s.state == Open:
	case s.maySend():
		next = ClosingUnconfirmed
	case s.state < Open && s.state != ClosingUnconfirmed:
		s.finish(Failed, CloseStatus{Code: codeAbnormal})
		return Output{Close: codeNormal}, nil
	default:
		return Output{}, nil // closing already
	}
	frame, err := s.sealNow(kindClose, content)
	if err != nil {
		return s.fail(err), nil
	}
	s.state, s.ownClose = next, content
	s.giveUpWork()
	return s.release(Output{Send: []TransportMessage{{Data: frame}}}), nil
}

// maySend tells whether the application's messages may be sent: from open on, and a server's from its Finished on,
// unless its client still has to prove who it is.
func (s *Session) maySend() bool {
	return s.state == Open || s.state == AwaitingFinished && !s.client && !s.features.clientIdentity
}

func (s *Session) sendRecord(kind byte, content []byte) (Output, error) {
	if !s.maySend() {
		return Output{}, ErrNotOpen
	}
	frames, err := s.sealRecord(kind, content)
	if err != nil {
		return s.fail(err), nil
	}
	s.stats.SentMessageRecords++
	return Output{Send: frames}, nil
}

// sealRecord seals a record, behind a key update where one is due.
func (s *Session) sealRecord(kind byte, content []byte) ([]TransportMessage, error) {
	var frames []TransportMessage
	if s.updateDue(s.options.Padding.length(len(content) + 1)) {
		update, err := s.sealNow(kindUpdate, nil)
		if err != nil {
			return nil, err
		}
		s.out.advance(s.options.Now())
		s.updateWanted = false
		frames = append(frames, TransportMessage{Data: update})
	}
	frame, err := s.sealNow(kind, content)
	return append(frames, TransportMessage{Data: frame}), err
}

// updateDue tells whether a record with this inner must go into a new epoch. No epoch is left in which nothing was
// sent: the first has Finished, and each other begins with the record that caused it.
func (s *Session) updateDue(inner int) bool {
	d, limit := s.out, s.options.UpdateAfter
	return s.updateWanted ||
		d.records >= limit.Records ||
		d.bytes+uint64(inner) > limit.Bytes ||
		s.options.Now().Sub(d.since) >= limit.Age
}

// sealNow makes the frame of a record, under the present key.
func (s *Session) sealNow(kind byte, content []byte) ([]byte, error) {
	length := len(content) + 1
	if s.out.seq > s.options.firstSeq { // record 0 is never padded by its sender
		length = s.options.Padding.length(length)
	}
	var nonce [nonceSize]byte
	if _, err := io.ReadFull(s.options.random, nonce[:]); err != nil {
		return nil, err
	}
	buffer := make([]byte, nonceSize+length, length+overhead)
	copy(buffer[nonceSize:], content)
	buffer[nonceSize+len(content)] = kind
	s.undrained = true
	return s.out.seal(buffer, nonce[:]), nil
}
