package pqws

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"filippo.io/mldsa"
)

// The cases of test/vectors, as their README tells them, and the values of extensions.json.

type extensionSent struct {
	Text   *string
	Record *struct {
		Generation, Epoch, Seq uint64
		Kind                   byte
		Content                hexBytes
		Padding                json.RawMessage
		Key, Frame             hexBytes
	}
	AnyContent *struct {
		Generation, Epoch, Seq uint64
		Kind                   byte
		Key                    hexBytes
	}
}

type extensionStep struct {
	Start   bool
	Receive *vectorMessage
	Send    *vectorMessage
	Close   *struct {
		Code   uint16
		Reason string
	}
	Exchange       bool
	Ping           *hexBytes
	Finish, Result string
	Export         *struct {
		Label  json.RawMessage
		Length int
	}
	Advance         int64
	TransportClosed uint16

	Sends     []extensionSent
	Delivers  []vectorMessage
	Accepts   bool
	Exchanged uint64
	Answered  *hexBytes
	Exports   *string
	Fails     uint16
	Closes    json.RawMessage
}

type extensionCase struct {
	ID, To, After string
	Setup         struct {
		Kems                                               []KEM
		Pins, Fingerprints, ClientKeys, ClientFingerprints []string
		Verifier, Attester                                 bool
		Identity                                           string
		Exchange, Heartbeat                                json.RawMessage
		Padding                                            json.RawMessage
		Subprotocols, Held                                 []string
		Context                                            hexBytes
		MaxPayload                                         int
		Rekey                                              struct{ Records, Bytes, Milliseconds int64 }
		EpochRecords, SeqFrom                              uint64
	}
	Steps []extensionStep
	Seen  *struct {
		Code     uint16
		Reason   string
		WasClean bool
	}
}

type agreementVector struct{ KeySeed, M, EncapsulationKey, Ciphertext, SharedSecret hexBytes }

type hybridVector struct{ SsM, SsX, CtX, PkX, SharedSecret hexBytes }

type extensionFile struct {
	Inputs struct{ MaxPayload int }
	Kems   []struct {
		Name       KEM
		Agreements []agreementVector
	}
	Hybrid struct {
		hybridVector
		WithTopBitOfPkX hybridVector
	}
	Keys []struct {
		Name                         string
		Seed, PublicKey              hexBytes
		Fingerprint, SecretKeySha256 string
	}
	Documents struct{ Prefix string }
	Sessions  []struct {
		Kem                      KEM
		ClientHello, ServerHello string
		Th, Ss                   hexBytes
		ClientSigned             hexBytes
		ClientSignature          hexBytes
		Secrets                  []struct {
			Name string
			Okm  hexBytes
		}
		UserData struct {
			Binary hexBytes
			Text   string
		}
		Exchanges []struct {
			ThBefore, RootBefore, Offer, Answer, Ss, Th, Seed, Root hexBytes
			Secrets                                                 []struct {
				Name string
				Okm  hexBytes
			}
			Signed   struct{ Server, Client hexBytes }
			UserData struct {
				Binary hexBytes
				Text   string
			}
		}
	}
}

func loadExtensions(t testing.TB) *extensionFile {
	t.Helper()
	raw, err := os.ReadFile("../../../test/vectors/extensions.json")
	if err != nil {
		t.Fatal(err)
	}
	v := &extensionFile{}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
	if len(v.Kems) != 3 || len(v.Keys) == 0 || len(v.Sessions) == 0 {
		t.Fatal("a section of extensions.json has no case")
	}
	return v
}

func (v *extensionFile) agreements(t testing.TB, name KEM) []agreementVector {
	t.Helper()
	for _, kem := range v.Kems {
		if kem.Name == name {
			return kem.Agreements
		}
	}
	t.Fatalf("no agreement of %s", name)
	return nil
}

func TestExtensionKems(t *testing.T) {
	v := loadExtensions(t)
	for _, kem := range v.Kems {
		found, err := schemesOf([]KEM{kem.Name}, nil)
		if err != nil || len(kem.Agreements) == 0 {
			t.Fatalf("%s: %v", kem.Name, err)
		}
		for i, c := range kem.Agreements {
			key := keyFrom(t, kem.Name, c.KeySeed)
			if !bytes.Equal(key.encapsulationKey(), c.EncapsulationKey) {
				t.Errorf("%s %d: encapsulation key differs", kem.Name, i)
			}
			if ss, err := key.decapsulate(c.Ciphertext); err != nil || !bytes.Equal(ss, c.SharedSecret) {
				t.Errorf("%s %d: decapsulated secret differs", kem.Name, i)
			}
			public, err := found[0].parse(c.EncapsulationKey)
			if err != nil {
				t.Fatal(err)
			}
			ss, ciphertext, err := encapsulateWith(t, public, c.M)
			if err != nil || !bytes.Equal(ss, c.SharedSecret) || !bytes.Equal(ciphertext, c.Ciphertext) {
				t.Errorf("%s %d: encapsulation differs", kem.Name, i)
			}
		}
	}
	for _, h := range []hybridVector{v.Hybrid.hybridVector, v.Hybrid.WithTopBitOfPkX} {
		if len(h.SharedSecret) == 0 || !bytes.Equal(combineHybrid(h.SsM, h.SsX, h.CtX, h.PkX), h.SharedSecret) {
			t.Error("the hybrid's combination differs")
		}
	}
}

func TestExtensionSchedule(t *testing.T) {
	for _, session := range loadExtensions(t).Sessions {
		th := transcriptHash([]byte(session.ClientHello), []byte(session.ServerHello), nil)
		if !bytes.Equal(th, session.Th) {
			t.Fatalf("%s: th differs", session.Kem)
		}
		if !bytes.Equal(identityMessage(inHandshake, "client", th), session.ClientSigned) {
			t.Errorf("%s: what the client signs differs", session.Kem)
		}
		if due := attestationUserData(inHandshake, th); !bytes.Equal(due.Bytes, session.UserData.Binary) || due.Text != session.UserData.Text {
			t.Errorf("%s: user data differ", session.Kem)
		}
		compared := 0
		for _, secret := range session.Secrets {
			if secret.Name == rootLabel {
				compared++
				if !bytes.Equal(expand(th, session.Ss, prefix+rootLabel, 32), secret.Okm) {
					t.Errorf("%s: root differs", session.Kem)
				}
			}
		}
		if compared != 1 || len(session.Exchanges) == 0 {
			t.Fatalf("%s: the session has no root, or no exchange", session.Kem)
		}
		for i, e := range session.Exchanges {
			if th := exchangeTranscriptHash(e.ThBefore, e.Offer, e.Answer); !bytes.Equal(th, e.Th) {
				t.Fatalf("%s %d: th differs", session.Kem, i)
			}
			if !bytes.Equal(exchangeSeed(e.Th, e.RootBefore, e.Ss), e.Seed) ||
				!bytes.Equal(expand(e.Th, e.Seed, prefix+rootLabel, 32), e.Root) {
				t.Errorf("%s %d: seed or root differs", session.Kem, i)
			}
			if !bytes.Equal(identityMessage(inExchange, "server", e.Th), e.Signed.Server) ||
				!bytes.Equal(identityMessage(inExchange, "client", e.Th), e.Signed.Client) {
				t.Errorf("%s %d: what is signed differs", session.Kem, i)
			}
			if due := attestationUserData(inExchange, e.Th); !bytes.Equal(due.Bytes, e.UserData.Binary) || due.Text != e.UserData.Text {
				t.Errorf("%s %d: user data differ", session.Kem, i)
			}
			for _, name := range []string{"client", "server"} {
				d := newDirection(name, e.Th, e.Seed, time.Time{})
				want := map[string]hexBytes{}
				for _, secret := range e.Secrets {
					want[secret.Name] = secret.Okm
				}
				if !bytes.Equal(d.key, want["key["+name+",0]"]) || !bytes.Equal(d.next, want["next["+name+",1]"]) {
					t.Errorf("%s %d: keys of the %s differ", session.Kem, i, name)
				}
				d.advance(time.Time{})
				if !bytes.Equal(d.key, want["key["+name+",1]"]) {
					t.Errorf("%s %d: the updated key of the %s differs", session.Kem, i, name)
				}
			}
		}
	}
}

// A stage is the end of one case with its application and its clock.
type stage struct {
	t     *testing.T
	file  *extensionFile
	c     extensionCase
	s     *Session
	now   time.Time
	begun time.Time // the handshake
	held  *Work
	wants []Message // to be sent as soon as the session lets the application
	until time.Time // for the answer to a close
}

// numbered are the nonces of the vectors: who seals, and its seq.
type numbered struct {
	tag string
	seq uint64
}

func (n *numbered) Read(p []byte) (int, error) {
	if len(p) == nonceSize {
		copy(p, n.tag)
		binary.BigEndian.PutUint64(p[4:], n.seq)
		n.seq++
		return len(p), nil
	}
	clear(p) // the content of a ping, which is the sender's own affair
	return len(p), nil
}

func newStage(t *testing.T, v *extensionFile, c extensionCase) *stage {
	t.Helper()
	g := &stage{t: t, file: v, c: c, now: time.Unix(1<<31, 0)}
	options := Options{
		KEMs: c.Setup.Kems, Context: c.Setup.Context, MaxPayload: v.Inputs.MaxPayload,
		NoGrease: true, Background: true,
		Exchange:  ExchangePolicy{Off: c.Setup.Exchange == nil},
		Heartbeat: HeartbeatPolicy{Off: c.Setup.Heartbeat == nil},
		Now:       func() time.Time { return g.now },
		random:    &numbered{map[string]string{"client": "clnt", "server": "srvr"}[c.To], c.Setup.SeqFrom},
	}
	if options.KEMs == nil {
		options.KEMs = []KEM{MLKEM768}
	}
	limit := c.Setup.Rekey // whose records count the update
	options.UpdateAfter = Limits{uint64(max(limit.Records-1, 0)), uint64(limit.Bytes), time.Duration(limit.Milliseconds) * time.Millisecond}
	options.epochRecords, options.firstSeq = c.Setup.EpochRecords, c.Setup.SeqFrom
	if string(c.Setup.Padding) == `"padme"` {
		options.Padding = Padme
	} else if c.Setup.Padding != nil {
		if err := json.Unmarshal(c.Setup.Padding, &options.Padding); err != nil {
			t.Fatal(err)
		}
	}
	if c.Setup.MaxPayload > 0 {
		options.MaxPayload = c.Setup.MaxPayload
	}
	var due struct{ Milliseconds int }
	if json.Unmarshal(c.Setup.Exchange, &due) == nil {
		options.Exchange.After = time.Duration(due.Milliseconds) * time.Millisecond
	}
	var clock struct{ Interval, Timeout int }
	if json.Unmarshal(c.Setup.Heartbeat, &clock) == nil {
		options.Heartbeat.Interval = time.Duration(clock.Interval) * time.Millisecond
		options.Heartbeat.Timeout = time.Duration(clock.Timeout) * time.Millisecond
	}
	made := map[KEM]int{}
	next := func(scheme *scheme) agreementVector {
		agreements := v.agreements(t, scheme.name)
		made[scheme.name]++
		return agreements[(made[scheme.name]-1)%len(agreements)]
	}
	options.generate = func(scheme *scheme) (decapsulationKey, error) {
		return keyFrom(t, scheme.name, next(scheme).KeySeed), nil
	}
	options.encapsulate = func(scheme *scheme, key encapsulationKey) ([]byte, []byte, error) {
		return encapsulateWith(t, key, next(scheme).M)
	}
	key := func(name string) (public []byte, sign Signer) {
		for _, k := range v.Keys {
			if k.Name == name {
				private, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), k.Seed)
				if err != nil {
					t.Fatal(err)
				}
				return k.PublicKey, func(message []byte) ([]byte, error) { return private.SignDeterministic(message, nil) }
			}
		}
		t.Fatalf("no key %q", name)
		return nil, nil
	}
	list := func(whole, fingerprints []string) (keys [][]byte) {
		for _, name := range whole {
			public, _ := key(name)
			keys = append(keys, public)
		}
		for _, name := range fingerprints {
			public, _ := key(name)
			sum := sha256.Sum256(public)
			keys = append(keys, sum[:])
		}
		return keys
	}
	options.Pins = list(c.Setup.Pins, c.Setup.Fingerprints)
	options.ClientKeys = list(c.Setup.ClientKeys, c.Setup.ClientFingerprints)
	if c.Setup.Identity != "" {
		options.PublicKey, options.Identity = key(c.Setup.Identity)
	}
	if c.Setup.Attester {
		options.Attest = func(due UserData) ([]byte, error) { return append([]byte(v.Documents.Prefix), due.Bytes...), nil }
	}
	if c.Setup.Verifier {
		options.VerifyAttestation = func(document []byte, due UserData) error {
			userData, ok := bytes.CutPrefix(document, []byte(v.Documents.Prefix))
			if !ok || !due.Covers(userData) {
				return errors.New("it does not cover what is due")
			}
			return nil
		}
	}
	construct := NewServer
	if c.To == "client" {
		construct = NewClient
	}
	var err error
	if g.s, err = construct(options); err != nil {
		t.Fatal(err)
	}
	return g
}

// isHeld tells whether the case holds back work of the kind that the session is about to do.
func (g *stage) isHeld() bool {
	kind := "verify"
	if g.c.To == "server" && (g.s.state == Replying || g.s.state == AnsweringEarly || g.s.exchange.step == stepMaking) ||
		g.c.To == "client" && !g.s.asksServer() {
		kind = "sign"
	}
	return slices.Contains(g.c.Setup.Held, kind)
}

// settle does all that follows from an output: work, draining, and what the application wanted to send.
func (g *stage) settle(out Output) Output {
	for {
		switch {
		case out.Work != nil && g.isHeld():
			g.held, out.Work = out.Work, nil
		case out.Work != nil:
			work := out.Work
			out.Work = nil
			work.Do()
			out = out.and(g.s.Complete(work))
			continue
		case len(g.wants) > 0 && g.s.maySend():
			more, err := g.s.Send(g.wants[0])
			if err != nil {
				g.t.Fatal(err)
			}
			g.wants, out = g.wants[1:], out.and(more)
			continue
		case out.Close == 0 && g.s.state < Finishing:
			more := g.s.Drained()
			if len(more.Send) > 0 {
				out = out.and(more)
				continue
			}
		}
		return out
	}
}

func (g *stage) input(step extensionStep) Output {
	s := g.s
	switch {
	case step.Start:
		g.begun = g.now
		if offer := ReadFastOpen(g.c.Setup.Subprotocols); offer.ClientHello != nil {
			return s.StartEarly(offer.ClientHello)
		}
		return s.Start()
	case step.Receive != nil:
		return s.Receive(step.Receive.bytes(g.t))
	case step.Send != nil:
		message := Message{Text: step.Send.Text != nil}
		if message.Text {
			message.Data = []byte(*step.Send.Text)
		} else {
			_, message.Data = step.Send.bytes(g.t)
		}
		g.wants = append(g.wants, message)
		return Output{}
	case step.Close != nil:
		out, err := s.Close(step.Close.Code, step.Close.Reason)
		if err != nil {
			g.t.Fatal(err)
		}
		g.until = g.now.Add(CloseTimeout)
		return out
	case step.Exchange:
		_, out, err := s.RequestExchange()
		if err != nil {
			g.t.Fatal(err)
		}
		return out
	case step.Ping != nil:
		_, out, err := s.Ping(*step.Ping)
		if err != nil {
			g.t.Fatal(err)
		}
		return out
	case step.Finish != "":
		work := g.held
		g.held = nil
		if work == nil {
			g.t.Fatal("no work is held")
		}
		if step.Result == "ok" {
			work.Do()
		} else {
			work.err = refuse(CodeAuthentication, "refused by the case")
		}
		return s.Complete(work)
	case step.Export != nil:
		label := "\xed\xa0\x80" // a lone surrogate, for which encoding/json gives another character
		if string(step.Export.Label) != `"\ud800"` {
			if err := json.Unmarshal(step.Export.Label, &label); err != nil {
				g.t.Fatal(err)
			}
		}
		key, err := s.ExportKey(label, step.Export.Length)
		got := hex.EncodeToString(key)
		if err != nil {
			got = "throws"
		}
		if step.Exports == nil || *step.Exports != got {
			g.t.Fatalf("exports %s", got)
		}
		return Output{}
	case step.TransportClosed != 0:
		s.Drained()
		s.TransportClosed(step.TransportClosed)
		return Output{}
	case step.Advance > 0:
		return g.advance(time.Duration(step.Advance) * time.Millisecond)
	}
	g.t.Fatalf("a step of no kind: %+v", step)
	return Output{}
}

// advance lets every timer fire when it is due.
func (g *stage) advance(by time.Duration) (out Output) {
	target := g.now.Add(by)
	for out.Close == 0 && !out.Terminate {
		due := g.s.NextTimer()
		if due.IsZero() || due.After(target) {
			break
		}
		g.now = due
		out = out.and(g.settle(g.s.Tick()))
	}
	g.now = target
	if !g.s.Confirmed() && !g.now.Before(g.begun.Add(DefaultHandshakeTimeout)) {
		out = out.and(g.s.ExpireHandshake())
	}
	if !g.until.IsZero() && !g.now.Before(g.until) {
		out = out.and(g.s.ExpireClose())
	}
	return out
}

func (g *stage) compare(i int, step extensionStep, out Output, before, after *Session) {
	t := g.t
	t.Helper()
	if len(out.Send) != len(step.Sends) {
		t.Fatalf("step %d: %d sent, want %d (closes with %d: %v)", i, len(out.Send), len(step.Sends), out.Close, g.s.Status().Failure)
	}
	for n, want := range step.Sends {
		got := out.Send[n]
		switch {
		case want.Text != nil:
			if !got.Text || string(got.Data) != *want.Text {
				t.Fatalf("step %d: hello %q differs", i, got.Data)
			}
		case want.Record != nil:
			if got.Text || !bytes.Equal(got.Data, want.Record.Frame) {
				t.Fatalf("step %d: record %d of kind %d differs", i, n, want.Record.Kind)
			}
		case want.AnyContent != nil:
			kind, _ := splitInner(opened(t, got.Data, want.AnyContent.Key, want.AnyContent.Seq))
			if kind != want.AnyContent.Kind {
				t.Fatalf("step %d: record of kind %d, want %d", i, kind, want.AnyContent.Kind)
			}
		}
	}
	sameMessages(t, out.Messages, step.Delivers)
	if step.Accepts != (after.confirmed && !before.confirmed) {
		t.Fatalf("step %d: accepts differs", i)
	}
	if generation := after.Generation(); step.Exchanged != 0 && generation != step.Exchanged ||
		step.Exchanged == 0 && generation != before.Generation() {
		t.Fatalf("step %d: generation %d", i, generation)
	}
	if (step.Answered != nil) != (out.Ponged != 0) {
		t.Fatalf("step %d: ponged %d", i, out.Ponged)
	}
	switch {
	case step.Fails != 0:
		// What it sent and delivered before is compared above: a message that waited may be what it fails on.
		refused(t, g.s, Output{Close: out.Close}, step.Fails)
	case step.Closes != nil:
		if out.Close >= CodeHandshake && out.Close <= CodeLimit || out.Close == 0 && !out.Terminate {
			t.Fatalf("step %d: closes with %d", i, out.Close)
		}
	case out.Close != 0 || out.Terminate:
		t.Fatalf("step %d: closes with %d: %v", i, out.Close, g.s.Status().Failure)
	}
}

func opened(t *testing.T, frame, key []byte, seq uint64) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := aead.Open(nil, frame[:nonceSize], frame[nonceSize:], binary.BigEndian.AppendUint64(nil, seq))
	if err != nil {
		t.Fatal(err)
	}
	return inner
}

// caseFile is what both files have for their cases. v1.json's need keys and agreements of extensions.json.
func caseFile(t *testing.T, name string) []extensionCase {
	t.Helper()
	raw, err := os.ReadFile("../../../test/vectors/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Format int
		Cases  []extensionCase
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if file.Format != 2 || len(file.Cases) == 0 {
		t.Fatalf("%s: format %d, %d cases", name, file.Format, len(file.Cases))
	}
	return file.Cases
}

func TestCases(t *testing.T) {
	v := loadExtensions(t)
	for _, name := range []string{"v1.json", "extensions.json"} {
		cases := caseFile(t, name)
		for _, c := range cases {
			t.Run(c.ID, func(t *testing.T) { runCase(t, v, cases, c) })
		}
	}
}

func runCase(t *testing.T, v *extensionFile, cases []extensionCase, c extensionCase) {
	steps := c.Steps
	for after := c.After; after != ""; {
		i := slices.IndexFunc(cases, func(c extensionCase) bool { return c.ID == after })
		if i < 0 {
			t.Fatalf("no case %q", after)
		}
		steps, after = append(slices.Clone(cases[i].Steps), steps...), cases[i].After
	}
	g := newStage(t, v, c)
	for i, step := range steps {
		before := *g.s
		out := g.settle(g.input(step))
		g.compare(i, step, out, &before, g.s)
	}
	if c.Seen == nil {
		return
	}
	if st := g.s.Status(); st.Code != c.Seen.Code || st.Reason != c.Seen.Reason || st.Clean != c.Seen.WasClean {
		t.Errorf("sees %+v, want %+v", st, *c.Seen)
	}
}
