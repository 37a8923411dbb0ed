package pqws

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// What the vectors leave out: whole conversations, closes at every moment, stolen states, functions that take their time.

// A line is two sessions with what is under way between them. Everything is delivered in order, when a test says so.
type line struct {
	t         testing.TB
	ends      [2]*Session // client, server
	underWay  [2][]TransportMessage
	delivered [2][]Message // to each
	work      [2][]*Work
}

func newLine(t testing.TB, clientOptions, serverOptions Options) *line {
	t.Helper()
	l := &line{t: t}
	l.ends[0], l.ends[1] = start(t, "client", clientOptions), start(t, "server", serverOptions)
	l.underWay[0] = []TransportMessage{{Text: true, Data: l.ends[0].ClientHello()}}
	return l
}

// take does what an end says. An end that fails fails the test.
func (l *line) take(end int, out Output) {
	l.t.Helper()
	if failure := l.ends[end].Status().Failure; failure != nil {
		l.t.Fatalf("end %d: %v", end, failure)
	}
	l.underWay[end] = append(l.underWay[end], out.Send...)
	l.delivered[end] = append(l.delivered[end], out.Messages...)
	if out.Work != nil {
		l.work[end] = append(l.work[end], out.Work)
	}
	if more := l.ends[end].Drained(); len(more.Send) > 0 {
		l.take(end, more)
	}
}

func (l *line) arrive(end int) bool {
	l.t.Helper()
	from := 1 - end
	if len(l.underWay[from]) == 0 || l.ends[end].Holding() {
		return false
	}
	m := l.underWay[from][0]
	l.underWay[from] = l.underWay[from][1:]
	l.take(end, l.ends[end].Receive(m.Text, m.Data))
	return true
}

func (l *line) finishWork(end int) bool {
	if len(l.work[end]) == 0 {
		return false
	}
	w := l.work[end][0]
	l.work[end] = l.work[end][1:]
	w.Do()
	l.take(end, l.ends[end].Complete(w))
	return true
}

// settle delivers and finishes all there is.
func (l *line) settle() {
	for l.arrive(0) || l.arrive(1) || l.finishWork(0) || l.finishWork(1) {
	}
}

func (l *line) send(end int, text string) {
	l.t.Helper()
	out, err := l.ends[end].Send(Message{Text: true, Data: []byte(text)})
	if err != nil {
		l.t.Fatal(err)
	}
	l.take(end, out)
}

func (l *line) exchange(end int) uint64 {
	l.t.Helper()
	target, out, err := l.ends[end].RequestExchange()
	if err != nil {
		l.t.Fatal(err)
	}
	l.take(end, out)
	return target
}

func identity(t testing.TB, seed byte) (Signer, []byte) {
	t.Helper()
	sign, public, err := IdentityFromSeed(bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return sign, public
}

// everything are the options of two ends that use all of it.
func everything(t testing.TB) (client, server Options) {
	t.Helper()
	serverSign, serverKey := identity(t, 1)
	clientSign, clientKey := identity(t, 2)
	client = Options{
		KEMs: []KEM{MLKEM768X25519}, Pins: [][]byte{serverKey}, Identity: clientSign, PublicKey: clientKey,
		VerifyAttestation: func(document []byte, due UserData) error {
			if !due.Covers(document) {
				return errors.New("another document")
			}
			return nil
		},
		Background: true,
	}
	server = Options{
		Identity: serverSign, ClientKeys: [][]byte{clientKey},
		Attest:     func(due UserData) ([]byte, error) { return []byte(due.Text), nil },
		Background: true,
	}
	return client, server
}

func TestExchangesWithEverything(t *testing.T) {
	client, server := everything(t)
	l := newLine(t, client, server)
	l.settle()
	if !bytes.Equal(l.ends[1].PeerKey(), client.PublicKey) || !bytes.Equal(l.ends[0].PeerKey(), client.Pins[0]) {
		t.Fatal("a peer's key differs")
	}
	hash := l.ends[0].TranscriptHash()
	export, err := l.ends[0].ExportKey("label", 32)
	if err != nil {
		t.Fatal(err)
	}
	for generation := uint64(1); generation <= 4; generation++ {
		by := int(generation % 2)
		if target := l.exchange(by); target != generation {
			t.Fatalf("target %d, want %d", target, generation)
		}
		l.send(0, "while it runs")
		l.send(1, "while it runs")
		l.settle()
		for end, s := range l.ends {
			if s.Generation() != generation {
				t.Fatalf("end %d: generation %d, want %d", end, s.Generation(), generation)
			}
			s.Update()
			l.send(end, "after an update in it")
		}
		l.settle()
	}
	for end, s := range l.ends {
		if len(l.delivered[end]) != 8 {
			t.Errorf("end %d: %d messages", end, len(l.delivered[end]))
		}
		if again, err := s.ExportKey("label", 32); err != nil || !bytes.Equal(again, export) || !bytes.Equal(s.TranscriptHash(), hash) {
			t.Error("exports and transcript hash are the handshake's")
		}
	}
}

// TestRandomConversations closes at any moment, among messages, updates, exchanges and pings of both ends, in any order
// of what arrives and of what is finished. Whatever happens, both ends are clean and see the same, and what was sent
// before either closed has arrived.
func TestRandomConversations(t *testing.T) {
	clientOptions, serverOptions := everything(t)
	crossed, completed := 0, uint64(0)
	for seed := range uint64(400) {
		plain := seed%5 != 0 // signatures take most of the time
		if plain {
			clientOptions, serverOptions = Options{}, Options{}
		} else {
			clientOptions, serverOptions = everything(t)
		}
		r := rand.New(rand.NewPCG(seed, 1))
		l := newLine(t, clientOptions, serverOptions)
		l.settle()
		var sent [2]int
		closed := false
		for range 10 + r.IntN(60) {
			end := r.IntN(2)
			s := l.ends[end]
			if s.State() != Open {
				continue
			}
			switch r.IntN(12) {
			case 0:
				l.exchange(end)
			case 1:
				s.Update()
			case 2:
				_, out, err := s.Ping([]byte{byte(r.IntN(3))})
				if err != nil {
					t.Fatal(err)
				}
				l.take(end, out)
			case 3, 4:
				l.send(end, fmt.Sprint(sent[end]))
				if !closed {
					sent[end]++
				}
			case 5, 6:
				l.finishWork(end)
			default:
				l.arrive(end)
			}
		}
		closers := 1 + r.IntN(2)
		for i := range closers {
			end := (int(seed) + i) % 2
			if l.ends[end].State() != Open {
				continue
			}
			out, err := l.ends[end].Close(uint16(4000+end), "bye")
			if err != nil {
				t.Fatal(err)
			}
			closed = true
			l.take(end, out)
			if i == 0 && closers == 2 {
				for range r.IntN(4) {
					l.arrive(1 - end)
				}
			}
		}
		l.settle()
		for end, s := range l.ends {
			st := s.Status()
			if s.State() != Ended || !st.Clean {
				t.Fatalf("seed %d: end %d in state %d, %+v", seed, end, s.State(), st)
			}
			if st.Crossed {
				crossed++
			}
			completed += s.Generation()
			if len(l.delivered[end]) > sent[1-end] {
				t.Fatalf("seed %d: more delivered than sent", seed)
			}
			for i, m := range l.delivered[end] {
				if string(m.Data) != fmt.Sprint(i) {
					t.Fatalf("seed %d: message %d is %q", seed, i, m.Data)
				}
			}
		}
	}
	if crossed == 0 || completed == 0 {
		t.Fatalf("%d closes crossed, %d exchanges completed: the test shows nothing", crossed, completed)
	}
}

// TestStolenState: who has all of an end's state, and sees all that travels, opens nothing after an exchange.
func TestStolenState(t *testing.T) {
	for thief := range 2 {
		l := newLine(t, Options{}, Options{})
		l.settle()
		s := l.ends[thief]
		stolen := *s.in
		stolen.key, stolen.next = bytes.Clone(s.in.key), bytes.Clone(s.in.next)
		th, root := s.exchange.th, bytes.Clone(s.exchange.root)
		var offer, answer []byte
		s.options.encapsulate = nil // a client encapsulates nothing
		if thief == 1 {
			s.options.encapsulate = func(_ *scheme, key encapsulationKey) ([]byte, []byte, error) {
				ss, ct, err := key.encapsulate()
				answer = ct
				return ss, ct, err
			}
		}
		l.exchange(0)
		offer = l.ends[0].exchange.offer
		l.settle()
		l.send(1-thief, "healed")
		frame := l.underWay[1-thief][0].Data
		stolen.seq = s.in.seq
		if _, err := stolen.open(frame); err == nil {
			t.Error("the stolen key opens what follows an exchange")
		}
		advanced := stolen
		advanced.advance(time.Time{})
		if _, err := advanced.open(frame); err == nil {
			t.Error("an update of it does")
		}
		// All but the new secret: what a thief who only listens has.
		next := exchangeTranscriptHash(th, offer, answer)
		guess := newDirection(s.in.name, next, exchangeSeed(next, root, make([]byte, 32)), time.Time{})
		guess.seq = s.in.seq
		if _, err := guess.open(frame); err == nil {
			t.Error("the root alone does")
		}
		l.settle()
		if len(l.delivered[thief]) != 1 {
			t.Error("the end itself does not open it")
		}
	}
}

func TestExchangeDestroysWhatItComesFrom(t *testing.T) {
	l := newLine(t, Options{}, Options{})
	l.settle()
	roots := [][]byte{l.ends[0].exchange.root, l.ends[1].exchange.root}
	keys := [][]byte{l.ends[0].in.key, l.ends[0].out.key, l.ends[1].in.next, l.ends[1].out.next}
	l.exchange(0)
	l.settle()
	for _, secret := range append(roots, keys...) {
		if !allZero(secret) {
			t.Error("a secret of the generation before is left")
		}
	}
	for _, s := range l.ends {
		x := s.exchange
		if x.key != nil || x.in != nil || x.out != nil || x.offer != nil {
			t.Error("something of the exchange is left after it")
		}
		s.TransportClosed(1006)
		if !allZero(x.root) || s.exchange.root != nil {
			t.Error("the root is left after the end")
		}
	}
}

func TestExchangeIsOff(t *testing.T) {
	for _, c := range []struct{ client, server bool }{{true, false}, {false, true}, {true, true}} {
		off := func(off bool) Options {
			return Options{Exchange: ExchangePolicy{Off: off}, Heartbeat: HeartbeatPolicy{Off: off}}
		}
		client, server := pair(t, off(c.client), off(c.server))
		for _, s := range []*Session{client, server} {
			if _, _, err := s.RequestExchange(); !errors.Is(err, ErrNoExchange) {
				t.Error(err)
			}
			if _, _, err := s.Ping(nil); !errors.Is(err, ErrNoHeartbeat) {
				t.Error(err)
			}
			if !s.NextTimer().IsZero() || s.exchange.root != nil {
				t.Error("something of it is there all the same")
			}
		}
	}
}

// TestExchangeBegins: by each end's own clock, and once where both want one.
func TestExchangeBegins(t *testing.T) {
	for _, minutes := range [][2]int{{10, 60}, {60, 10}, {10, 10}} {
		now := time.Unix(0, 0)
		options := func(end int) Options {
			return Options{
				Now:      func() time.Time { return now },
				Exchange: ExchangePolicy{After: time.Duration(minutes[end]) * time.Minute},
			}
		}
		l := newLine(t, options(0), options(1))
		l.settle()
		for generation := uint64(1); generation < 4; generation++ {
			now = now.Add(10*time.Minute - 1)
			for end, s := range l.ends {
				l.take(end, s.Tick())
			}
			if l.settle(); l.ends[0].Generation() != generation-1 {
				t.Fatalf("%v: too early", minutes)
			}
			now = now.Add(1)
			for end, s := range l.ends {
				l.take(end, s.Tick())
			}
			if l.settle(); l.ends[0].Generation() != generation || l.ends[1].Generation() != generation {
				t.Fatalf("%v: generations %d and %d, want %d", minutes, l.ends[0].Generation(), l.ends[1].Generation(), generation)
			}
		}
	}
}

// TestExchangeClock: the time of a step counts from draining, and not while this end does not read.
func TestExchangeClock(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLine(t, Options{Now: func() time.Time { return now }}, Options{})
	l.settle()
	s := l.ends[0]
	if _, _, err := s.RequestExchange(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(10 * time.Minute)
	if !s.NextTimer().IsZero() || s.Tick().Close != 0 {
		t.Fatal("the clock runs before the offer has drained")
	}
	s.Drained()
	now = now.Add(DefaultExchangeTimeout - 1)
	s.Excuse()
	now = now.Add(DefaultExchangeTimeout - 1)
	must(t, s.Tick())
	now = now.Add(1)
	refused(t, s, s.Tick(), CodeTimeout)
}

func TestSlowFunctionsInAnExchange(t *testing.T) {
	now := time.Unix(0, 0)
	clientOptions, serverOptions := everything(t)
	clientOptions.Background, serverOptions.Background = false, false
	clientOptions.Now = func() time.Time { return now }
	slow := false
	sign := clientOptions.Identity
	clientOptions.Identity = func(message []byte) ([]byte, error) {
		if slow {
			now = now.Add(DefaultExchangeTimeout)
		}
		return sign(message)
	}
	l := newLine(t, clientOptions, serverOptions)
	l.settle()
	slow = true
	_, out, err := l.ends[0].RequestExchange()
	if err != nil {
		t.Fatal(err)
	}
	reply := must(t, l.ends[1].Receive(false, out.Send[0].Data))
	must(t, l.ends[0].Receive(false, reply.Send[0].Data))
	refused(t, l.ends[0], l.ends[0].Receive(false, reply.Send[1].Data), CodeTimeout)
}

func TestWhatWaitsIsBounded(t *testing.T) {
	clientOptions, serverOptions := everything(t)
	serverOptions.MaxPayload = 1000
	l := newLine(t, clientOptions, serverOptions)
	for !l.ends[1].Holding() {
		if !l.arrive(0) && !l.arrive(1) && !l.finishWork(0) && (l.ends[1].state != Replying || !l.finishWork(1)) {
			t.Fatal("the server never verifies its client")
		}
	}
	for range 1 << 20 {
		if out := l.ends[1].Receive(false, make([]byte, minFrame)); out.Close != 0 {
			refused(t, l.ends[1], out, CodeHandshake)
			return
		}
	}
	t.Fatal("a million frames wait")
}

func TestClientKeys(t *testing.T) {
	sign, public := identity(t, 2)
	_, other := identity(t, 3)
	accept := func(want []byte) func([]byte) bool { return func(key []byte) bool { return bytes.Equal(key, want) } }
	known := Options{Identity: sign, PublicKey: public}
	for name, c := range map[string]struct {
		client, server Options
		code           uint16
	}{
		"listed":                   {known, Options{ClientKeys: [][]byte{other, public}}, 0},
		"accepted by the function": {known, Options{AcceptClientKey: accept(public)}, 0},
		"by the function alone":    {known, Options{ClientKeys: [][]byte{other}, AcceptClientKey: accept(public)}, 0},
		"not listed":               {known, Options{ClientKeys: [][]byte{other}}, CodeAuthentication},
		"refused by the function":  {known, Options{AcceptClientKey: accept(other)}, CodeAuthentication},
		"another's key":            {Options{Identity: sign, PublicKey: other}, Options{ClientKeys: [][]byte{other}}, CodeAuthentication},
		"none":                     {Options{}, Options{ClientKeys: [][]byte{other}}, CodeAuthentication},
		"not asked":                {known, Options{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := start(t, "client", c.client), start(t, "server", c.server)
			out := server.Receive(true, client.ClientHello())
			if out.Close == 0 {
				// It is not surfaced before its client is accepted.
				if _, err := server.Send(Message{}); (err == nil) != (server.asked.clientIdentity == false) {
					t.Errorf("sends before: %v", err)
				}
				must(t, client.Receive(true, out.Send[0].Data))
				finished := must(t, client.Receive(false, out.Send[1].Data))
				out = server.Receive(false, finished.Send[0].Data)
			}
			if c.code != 0 {
				refused(t, server, out, c.code)
			} else if must(t, out); (server.PeerKey() != nil) != server.asked.clientIdentity {
				t.Error("the peer's key")
			}
		})
	}
	if _, err := NewClient(Options{Identity: sign}); err == nil {
		t.Error("a client's identity without its public key")
	}
	if _, err := NewServer(Options{ClientKeys: [][]byte{}}); err == nil {
		t.Error("an empty list of client keys")
	}
}

func TestClientSignerFails(t *testing.T) {
	_, public := identity(t, 2)
	broken := Options{Identity: func([]byte) ([]byte, error) { return nil, errors.New("no HSM") }, PublicKey: public}
	client, server := start(t, "client", broken), start(t, "server", Options{ClientKeys: [][]byte{public}})
	reply := must(t, server.Receive(true, client.ClientHello()))
	must(t, client.Receive(true, reply.Send[0].Data))
	refused(t, client, client.Receive(false, reply.Send[1].Data), CodeAuthentication)
}

func TestGrease(t *testing.T) {
	names := map[string]bool{}
	for range 20 {
		client, server := start(t, "client", Options{}), start(t, "server", Options{})
		reply := must(t, server.Receive(true, client.ClientHello()))
		for _, hello := range [][]byte{client.ClientHello(), reply.Send[0].Data} {
			object, err := parseObject(hello)
			if err != nil {
				t.Fatal(err)
			}
			count := 0
			for name := range object {
				if len(name) > len(greasePrefix) && name[:len(greasePrefix)] == greasePrefix {
					names[name] = true
					count++
				}
			}
			if count != 1 {
				t.Fatalf("%d members of grease in %s", count, hello)
			}
		}
	}
	if len(names) != 40 {
		t.Errorf("%d different names in 40 hellos", len(names))
	}
	bare := start(t, "client", Options{NoGrease: true})
	if bytes.Contains(bare.ClientHello(), []byte(greasePrefix)) {
		t.Error("grease, though it is off")
	}
}
