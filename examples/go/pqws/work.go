package pqws

// Work is what an end asks of its application's functions: to sign, to attest, to verify, to accept a key. They may take
// their time, so that a binding with Options.Background runs Do where it holds nobody up, and hands it back by Complete.
type Work struct {
	do   func() error // touches nothing of the session that changes
	then func() (Output, error)
	err  error
}

// Do runs the application's functions. It may run beside any call of the session.
func (w *Work) Do() { w.err = w.do() }

// begin does the work at once, or gives it out.
func (s *Session) begin(needed bool, do func() error, then func() (Output, error)) (Output, error) {
	if needed && s.options.Background {
		s.work = &Work{do: do, then: then}
		return Output{Work: s.work}, nil
	}
	if err := do(); err != nil {
		return Output{}, err
	}
	return then()
}

// Complete takes the work's result. It changes nothing where the session has ended or closed meanwhile.
func (s *Session) Complete(w *Work) Output {
	if s.work != w {
		return Output{}
	}
	s.work = nil
	if w.err != nil {
		return s.fail(w.err)
	}
	out, err := w.then()
	if err != nil {
		return s.fail(err)
	}
	return s.release(out)
}

// Holding tells that what arrives waits unopened, so that a binding had better read nothing.
func (s *Session) Holding() bool {
	switch s.state {
	case AnsweringEarly, Verifying:
		return true
	case Open:
		return !s.client && s.exchange.step == stepVerifying
	}
	return false
}

// hold keeps a message that arrives meanwhile, all the same, within a limit.
func (s *Session) hold(text bool, data []byte) Output {
	const each = 64 // what an empty one costs
	s.heldBytes += len(data) + each
	if s.heldBytes > 2*maxInner(s.options.MaxPayload) {
		return s.fail(refuse(CodeLimit, "too much waits for a verification"))
	}
	s.held = append(s.held, TransportMessage{text, append([]byte{}, data...)})
	return Output{}
}

// release judges what has waited.
func (s *Session) release(out Output) Output {
	held := s.held
	s.held, s.heldBytes = nil, 0
	for i, m := range held {
		if s.Holding() {
			for _, later := range held[i:] {
				s.hold(later.Text, later.Data)
			}
			break
		}
		out = out.and(s.Receive(m.Text, m.Data))
	}
	return out
}

// and is what to do for both, one after the other.
func (o Output) and(next Output) Output {
	o.Send = append(o.Send, next.Send...)
	o.Messages = append(o.Messages, next.Messages...)
	o.Ponged = max(o.Ponged, next.Ponged)
	if next.Work != nil {
		o.Work = next.Work
	}
	o.Close, o.Reason, o.Terminate = next.Close, next.Reason, next.Terminate
	return o
}

// giveUpWork is for who closes: nothing of an exchange is sent any more.
func (s *Session) giveUpWork() {
	if s.work != nil {
		s.work, s.exchange.step = nil, stepNone
	}
}
