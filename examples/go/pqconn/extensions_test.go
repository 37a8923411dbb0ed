package pqconn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/pqws/pqws"
	"github.com/gorilla/websocket"
)

func identity(t *testing.T, seed byte) (pqws.Signer, []byte) {
	t.Helper()
	sign, public, err := pqws.IdentityFromSeed(bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return sign, public
}

func TestKEMs(t *testing.T) {
	for _, kem := range []pqws.KEM{pqws.MLKEM768, pqws.MLKEM768X25519, pqws.MLKEM1024} {
		kems := make(chan pqws.KEM, 1)
		url, _ := serve(t, &Server{Handle: func(c *Conn) { kems <- c.KEM() }})
		c := dial(t, url, &Dialer{Options: pqws.Options{KEMs: []pqws.KEM{kem}}})
		if got := <-kems; c.KEM() != kem || got != kem {
			t.Errorf("%s and %s, want %s", c.KEM(), got, kem)
		}
	}
	url, _ := serve(t, &Server{Options: pqws.Options{KEMs: []pqws.KEM{pqws.MLKEM1024}}})
	_, err := (&Dialer{}).Dial(t.Context(), url)
	var closed *ClosedError
	if !errors.As(err, &closed) || closed.Code != pqws.CodeHandshake || !closed.Claimed {
		t.Errorf("%v", err)
	}
}

// TestExchangesUnderLoad: both ends talk and update, and ask for exchanges all the time. Nothing is lost.
func TestExchangesUnderLoad(t *testing.T) {
	sign, public := identity(t, 1)
	clientSign, clientKey := identity(t, 2)
	policy := pqws.ExchangePolicy{After: 20 * time.Millisecond}
	updates := pqws.Limits{Records: 7}
	url, ended := serve(t, &Server{Options: pqws.Options{
		Identity: sign, Exchange: policy, UpdateAfter: updates, ClientKeys: [][]byte{clientKey},
	}})
	c := dial(t, url, &Dialer{Options: pqws.Options{
		Pins: [][]byte{public}, Exchange: policy, UpdateAfter: updates, Identity: clientSign, PublicKey: clientKey,
		KEMs: []pqws.KEM{pqws.MLKEM768X25519},
	}})
	const wanted, last = 10, "last"
	underWay := make(chan struct{}, 32) // so that an exchange does not wait behind megabytes
	go func() {
		for sent := 0; ; sent++ {
			text := fmt.Sprint(sent)
			if c.Generation() >= wanted {
				text = last // which tells the reader to ask for no more: nothing else would come
			}
			underWay <- struct{}{}
			if c.SendText(text) != nil || text == last {
				return
			}
		}
	}()
	for received := 0; ; received++ {
		m, err := c.Read()
		if err != nil {
			t.Fatalf("after %d, in generation %d: %v", received, c.Generation(), err)
		}
		<-underWay
		if string(m.Data) == last {
			break
		}
		if string(m.Data) != fmt.Sprint(received) {
			t.Fatalf("message %d is %q", received, m.Data)
		}
	}
	if st, err := c.Close(4000, "done"); err != nil || !st.Clean {
		t.Fatalf("%+v, %v", st, err)
	}
	if st := <-ended; !st.Clean {
		t.Fatalf("the server sees %+v", st)
	}
}

func TestExchangeByEitherEnd(t *testing.T) {
	done := make(chan error, 1)
	url, _ := serve(t, &Server{Handle: func(c *Conn) {
		go func() {
			err := c.Exchange(context.Background())
			if err == nil && c.Generation() != 1 {
				err = fmt.Errorf("generation %d", c.Generation())
			}
			done <- err
		}()
		_, _ = c.Read()
	}})
	c := dial(t, url, &Dialer{})
	read := make(chan error, 1)
	go func() { _, err := c.Read(); read <- err }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for generation := uint64(2); generation < 5; generation++ {
		if err := c.Exchange(t.Context()); err != nil || c.Generation() != generation {
			t.Fatalf("generation %d: %v", c.Generation(), err)
		}
	}
	c.Abort()
	<-read
	if err := c.Exchange(t.Context()); !errors.Is(err, pqws.ErrNotOpen) {
		t.Errorf("after the end: %v", err)
	}
}

func TestExchangeIsRejectedByTheEnd(t *testing.T) {
	url, _ := serve(t, &Server{Handle: func(c *Conn) {
		// It reads nothing, so that no answer ever comes, and goes at the first word.
		_, _ = c.Read()
	}})
	c := dial(t, url, &Dialer{})
	result := make(chan error, 1)
	if err := c.SendText("go"); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			if err := c.Exchange(context.Background()); err != nil {
				result <- err
				return
			}
		}
	}()
	if _, err := c.Read(); err == nil {
		t.Fatal("a message")
	}
	if err := <-result; !errors.Is(err, pqws.ErrNotOpen) {
		t.Fatal(err)
	}
	// A context ends the waiting, not the connection.
	url, _ = serve(t, &Server{})
	c = dial(t, url, &Dialer{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Exchange(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := c.SendText("still here"); err != nil {
		t.Fatal(err)
	}
}

func TestClientIdentity(t *testing.T) {
	sign, public := identity(t, 2)
	_, other := identity(t, 3)
	fingerprint := sha256.Sum256(public)
	seen := make(chan []byte, 1)
	handle := func(c *Conn) { seen <- c.PeerKey(); _, _ = c.Read() }
	accepts, _ := serve(t, &Server{Options: pqws.Options{ClientKeys: [][]byte{other, fingerprint[:]}}, Handle: handle})
	client := pqws.Options{Identity: sign, PublicKey: public}
	for _, fastOpen := range []bool{false, true} {
		dial(t, accepts, &Dialer{Options: client, FastOpen: fastOpen})
		if got := <-seen; !bytes.Equal(got, public) {
			t.Error("the server sees another key")
		}
	}
	refuses, _ := serve(t, &Server{Options: pqws.Options{AcceptClientKey: func([]byte) bool { return false }}})
	// The client is open before it learns of it.
	c := dial(t, refuses, &Dialer{Options: client})
	if _, err := c.Read(); err == nil || c.Status().Code != pqws.CodeAuthentication || !c.Status().Claimed {
		t.Errorf("%+v", c.Status())
	}
	_, err := (&Dialer{}).Dial(t.Context(), refuses)
	var closed *ClosedError
	if !errors.As(err, &closed) || closed.Code != pqws.CodeAuthentication {
		t.Errorf("%v", err)
	}
}

// TestSlowAcceptance: the function may take its time; an eviction and the end of the transport are not held up by it.
func TestSlowAcceptance(t *testing.T) {
	sign, public := identity(t, 2)
	asked, answer := make(chan struct{}, 2), make(chan bool)
	server := &Server{MaxPending: 1, Options: pqws.Options{AcceptClientKey: func([]byte) bool {
		asked <- struct{}{}
		return <-answer
	}}}
	url, _ := serve(t, server)
	client := pqws.Options{Identity: sign, PublicKey: public}
	first := dial(t, url, &Dialer{Options: client})
	<-asked
	second := dial(t, url, &Dialer{Options: client})
	<-asked
	if _, err := first.Read(); err == nil || first.Status().Code != 1013 {
		t.Fatalf("%+v", first.Status())
	}
	answer <- true
	answer <- true
	if err := second.SendText("hello"); err != nil {
		t.Fatal(err)
	}
	if m, err := second.Read(); err != nil || string(m.Data) != "hello" {
		t.Fatal(err)
	}
}

func TestPing(t *testing.T) {
	url, _ := serve(t, &Server{})
	c := dial(t, url, &Dialer{})
	go func() {
		for {
			if _, err := c.Read(); err != nil {
				return
			}
		}
	}()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := c.Ping(t.Context(), []byte{byte(i % 3)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	off, _ := serve(t, &Server{Options: pqws.Options{Heartbeat: pqws.HeartbeatPolicy{Off: true}}})
	if err := dial(t, off, &Dialer{}).Ping(t.Context(), nil); !errors.Is(err, pqws.ErrNoHeartbeat) {
		t.Error(err)
	}
}

// A plug is a server's listener whose connections can be made to go silent, as if a cable were pulled.
type plug struct {
	net.Listener
	mu     sync.Mutex
	pulled bool
	free   *sync.Cond
}

func (p *plug) Accept() (net.Conn, error) {
	conn, err := p.Listener.Accept()
	return plugged{conn, p}, err
}

func (p *plug) pull(out bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pulled = out
	p.free.Broadcast()
}

type plugged struct {
	net.Conn
	plug *plug
}

func (c plugged) Write(data []byte) (int, error) {
	c.plug.mu.Lock()
	for c.plug.pulled {
		c.plug.free.Wait()
	}
	c.plug.mu.Unlock()
	return c.Conn.Write(data)
}

func TestHeartbeat(t *testing.T) {
	server := &Server{Handle: func(c *Conn) { _, _ = c.Read() }}
	h := httptest.NewUnstartedServer(server)
	p := &plug{Listener: h.Listener}
	p.free = sync.NewCond(&p.mu)
	h.Listener = p
	h.Start()
	t.Cleanup(h.Close)
	t.Cleanup(func() { p.pull(false) })
	url := "ws" + strings.TrimPrefix(h.URL, "http")
	policy := pqws.HeartbeatPolicy{Interval: 20 * time.Millisecond, Timeout: 2 * time.Second}
	c := dial(t, url, &Dialer{Options: pqws.Options{Heartbeat: policy}})
	ended := make(chan error, 1)
	go func() { _, err := c.Read(); ended <- err }()
	for beats := c.Stats().ReceivedRecords; c.Stats().ReceivedRecords < beats+3; {
		if err := c.Ping(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	p.pull(true)
	var closed *ClosedError
	if err := <-ended; !errors.As(err, &closed) || closed.Code != websocket.CloseAbnormalClosure || closed.Failure == nil {
		t.Fatalf("%+v", closed)
	}
}

// TestOldPeers: with what was before the extensions, at either end.
func TestOldPeers(t *testing.T) {
	old := pqws.Options{
		NoGrease: true, KEMs: []pqws.KEM{pqws.MLKEM768},
		Exchange:  pqws.ExchangePolicy{Off: true},
		Heartbeat: pqws.HeartbeatPolicy{Off: true},
	}
	for name, c := range map[string][2]pqws.Options{"old client": {old, {}}, "old server": {{}, old}} {
		t.Run(name, func(t *testing.T) {
			url, _ := serve(t, &Server{Options: c[1]})
			client := dial(t, url, &Dialer{Options: c[0]})
			if err := client.SendText("hello"); err != nil {
				t.Fatal(err)
			}
			if m, err := client.Read(); err != nil || string(m.Data) != "hello" {
				t.Fatal(err)
			}
			if err := client.Exchange(t.Context()); !errors.Is(err, pqws.ErrNoExchange) {
				t.Error(err)
			}
			if st, err := client.Close(4000, "bye"); err != nil || !st.Clean {
				t.Errorf("%+v, %v", st, err)
			}
		})
	}
}

func TestReservedSubprotocols(t *testing.T) {
	url, _ := serve(t, &Server{})
	for _, protocol := range []string{"pqws1", "PQWS1.x", "pqws1.", "Pqws1"} {
		if _, err := (&Dialer{Subprotocols: []string{protocol}}).Dial(t.Context(), url); err == nil {
			t.Errorf("%s is offered", protocol)
		}
		misconfigured, _ := serve(t, &Server{Subprotocols: []string{protocol}})
		if _, err := (&Dialer{}).Dial(t.Context(), misconfigured); err == nil {
			t.Errorf("%s is accepted", protocol)
		}
	}
}
