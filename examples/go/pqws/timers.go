package pqws

import "time"

// A wait is for the peer. Its time begins when what the peer has to answer has been handed to the transport.
type wait struct {
	on       bool
	deadline time.Time // zero until then
}

func (w *wait) begin() { *w = wait{on: true} }
func (w *wait) end()   { *w = wait{} }

func (w *wait) drained(now time.Time, timeout time.Duration) {
	if w.on && w.deadline.IsZero() {
		w.deadline = now.Add(timeout)
	}
}

// restart gives the whole time again to a wait that has begun to count.
func (w *wait) restart(now time.Time, timeout time.Duration) {
	if !w.deadline.IsZero() {
		w.deadline = now.Add(timeout)
	}
}

// NextTimer is when Tick is due; zero is never. Every call of the session may change it.
func (s *Session) NextTimer() time.Time {
	if s.state != Open {
		return time.Time{} // a close stops the clocks of exchanges and heartbeat; it has one of its own
	}
	first, other := s.exchangeTimer(), s.heartbeatTimer()
	if first.IsZero() || !other.IsZero() && other.Before(first) {
		return other
	}
	return first
}

// Tick does what is due: it begins an exchange, pings, or ends the connection for want of an answer.
func (s *Session) Tick() Output {
	var out Output
	now := s.options.Now()
	isDue := func(timer time.Time) bool { return s.state == Open && !timer.IsZero() && !now.Before(timer) }
	if isDue(s.exchangeTimer()) {
		begun, err := s.expireExchange()
		if err != nil {
			return s.fail(err)
		}
		out = begun
	}
	if isDue(s.heartbeatTimer()) {
		beat, err := s.expireHeartbeat(now)
		if err != nil {
			return s.fail(err)
		}
		out.Send, out.Terminate = append(out.Send, beat.Send...), beat.Terminate
	}
	return out
}

// Drained tells that all that was given out has been handed to the transport: the last record of a closing session
// among it, and what the peer's time to answer counts from.
func (s *Session) Drained() Output {
	s.undrained = false
	if s.state == Finishing {
		s.finish(Ended, s.status)
		return Output{}
	}
	now := s.options.Now()
	s.exchange.wait.drained(now, s.options.Exchange.Timeout)
	s.heartbeat.wait.drained(now, s.options.Heartbeat.Timeout)
	out, err := s.pay()
	if err != nil {
		return s.fail(err)
	}
	return out
}

// Excuse starts the time that the peer has anew, since its silence shows nothing: this end does not read, or what it
// sends is still on its way through the transport.
func (s *Session) Excuse() {
	now := s.options.Now()
	s.exchange.wait.restart(now, s.options.Exchange.Timeout)
	s.heartbeat.wait.restart(now, s.options.Heartbeat.Timeout)
}
