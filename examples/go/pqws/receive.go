package pqws

import "bytes"

// Receive takes a transport message. It keeps neither data nor a part of it.
func (s *Session) Receive(text bool, data []byte) Output {
	var out Output
	var err error
	switch {
	case s.state >= Finishing:
		return Output{} // ignored unopened, text too
	case s.Holding():
		return s.hold(text, data)
	case s.state == Replying:
		err = refuse(CodeHandshake, "a message before the reply to the hello")
	case s.state == AwaitingHello:
		out, err = s.receiveHello(text, data)
	case s.owedHello != nil:
		if !text || !bytes.Equal(data, s.owedHello) {
			err = refuse(CodeHandshake, "first message is not the ClientHello of the upgrade request")
		}
		s.owedHello = nil
	default:
		out, err = s.receiveRecord(text, data)
	}
	if err != nil {
		return s.fail(err)
	}
	return out
}

// receiveRecord judges in the order of section 7.6. Before the peer's Finished, fail makes 3768 of its codes.
func (s *Session) receiveRecord(text bool, frame []byte) (Output, error) {
	if text {
		return Output{}, refuse(CodeViolation, "text message where a frame is due")
	}
	if len(frame) < minFrame {
		return Output{}, refuse(CodeRecord, "frame under 29 bytes")
	}
	if len(frame)-overhead > maxInner(s.options.MaxPayload) {
		return Output{}, refuse(CodeLimit, "frame too long")
	}
	if s.in.records >= s.options.epochRecords {
		return Output{}, refuse(CodeLimit, "epoch has 2^24 records already")
	}
	inner, err := s.in.open(frame)
	if err != nil {
		return Output{}, refuse(CodeRecord, "frame does not open")
	}
	s.heartbeat.hear(s.options.Now())
	afterUpdate := s.justUpdated
	s.justUpdated = false
	kind, content := splitInner(inner)
	if kind == 0 {
		return Output{}, refuse(CodeViolation, "no kind byte")
	}
	if (kind == kindFinished) != s.finishedIsDue() {
		return Output{}, refuse(CodeViolation, "Finished is due, or is not")
	}
	switch kind {
	case kindFinished:
		if s.confirmed {
			return s.finishExchange(content)
		}
		return s.receiveFinished(content)
	case kindText, kindBinary, kindBatch:
		messages, err := parseMessages(kind, content, s.options.MaxPayload)
		if err != nil || s.state == CloseSent {
			return Output{}, err // checked all the same, then discarded
		}
		s.stats.LastInner = len(inner)
		s.stats.ReceivedMessageRecords++
		return Output{Messages: messages}, nil
	case kindUpdate:
		if len(content) > 0 {
			return Output{}, refuse(CodeViolation, "key update with content")
		}
		if afterUpdate {
			return Output{}, refuse(CodeViolation, "two key updates with nothing between")
		}
		s.in.advance(s.options.Now())
		s.justUpdated = true
		return Output{}, nil
	case kindClose, kindCloseAnswer:
		return s.receiveClose(kind, content)
	case kindExchangeWanted, kindExchangeOffer, kindExchangeAnswer, kindExchangeEnd:
		if s.features.exchange {
			return s.receiveExchange(kind, content)
		}
	case kindPing, kindPong:
		if s.features.heartbeat {
			return s.receiveHeartbeat(kind, content)
		}
	}
	return Output{}, refuse(CodeViolation, "unknown kind")
}

// finishedIsDue tells whether the next record has to be Finished: the peer's first, and the one behind an exchange's
// answer or end.
func (s *Session) finishedIsDue() bool {
	return !s.confirmed || s.exchange.step == stepAnswered || s.exchange.step == stepAwaitingFinal
}

// receiveClose is the end of section 3.3's diagram: everything but a refusal closes the transport with 1000. The
// session waits in Finishing until the binding says that what goes before has been handed over.
func (s *Session) receiveClose(kind byte, content []byte) (Output, error) {
	code, reason, err := parseClose(content)
	if err != nil {
		return Output{}, err
	}
	s.giveUpWork()
	status := CloseStatus{Code: code, Reason: reason, Clean: true}
	out := Output{Close: codeNormal}
	switch {
	case kind == kindClose && s.state == Open:
		answer, err := s.sealNow(kindCloseAnswer, content)
		if err != nil {
			return Output{}, err
		}
		out.Send = []TransportMessage{{Data: answer}}
	case kind == kindClose:
		status.Crossed = true
	case s.state != CloseSent:
		return Output{}, refuse(CodeViolation, "close answer unasked")
	case !bytes.Equal(content, s.ownClose):
		return Output{}, refuse(CodeViolation, "close answer is not equal to the close")
	}
	s.state, s.status = Finishing, status
	return out, nil
}
