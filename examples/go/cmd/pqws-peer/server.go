package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"example.com/pqws/pqconn"
	"example.com/pqws/pqws"
)

func runServer(args []string) error {
	var options pqws.Options
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	commonFlags(flags, &options)
	port := flags.Int("port", 0, "0: any")
	repository := flags.String("page", "", "the repository's folder, whose page is served at /page")
	flags.Func("identity-seed", "ML-DSA-65 seed, 32 bytes in hex", func(text string) (err error) {
		options.Identity, options.PublicKey, err = parseIdentity(text)
		return err
	})
	flags.Func("client-keys", "public key of a client that is taken, in hex, or sha256: and its fingerprint; may be repeated", func(text string) error {
		key, err := parsePin(text)
		options.ClientKeys = append(options.ClientKeys, key)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if _, err := pqws.NewServer(options); err != nil {
		return err // now, rather than at each request
	}
	return serve(*port, withPage(*repository, handler(options)), os.Stdout)
}

// withPage serves the page of examples/page, and the script that makes its WebSocket secure.
func withPage(repository string, sockets http.Handler) http.Handler {
	if repository == "" {
		return sockets
	}
	mux := http.NewServeMux()
	files := map[string]string{"/page": "examples/page/index.html"}
	for _, part := range []string{"polyfill", "kem", "portable", "ml-dsa", "yellowpages"} { // fetched by browsers that need them
		name := "dist/pq-websocket." + part + ".min.js"
		files["/"+name] = name
	}
	for path, file := range files {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			// Not ServeFile, which sends a browser from index.html to the folder.
			content, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(file)))
			if err != nil {
				http.Error(w, "not there: npm run build makes the script", http.StatusNotFound)
				return
			}
			w.Header().Set("Content-Type", mime.TypeByExtension(filepath.Ext(file)))
			_, _ = w.Write(content)
		})
	}
	mux.Handle("/", sockets)
	return mux
}

func serve(port int, handler http.Handler, stdout io.Writer) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(listener)
}

func handler(options pqws.Options) *pqconn.Server {
	return &pqconn.Server{
		Options: options,
		// For tests from pages of any origin, on the loopback interface. A real server names its origins.
		CheckOrigin: func(*http.Request) bool { return true },
		Handle:      converse,
	}
}

// converse echoes, and carries out what begins with '!'.
func converse(c *pqconn.Conn) {
	for {
		m, err := c.Read()
		if err != nil {
			return
		}
		if m.Text && len(m.Data) > 0 && m.Data[0] == '!' {
			err = command(c, string(m.Data[1:]))
		} else {
			err = c.Send(m)
		}
		if err == nil {
			continue
		}
		if errors.Is(err, pqws.ErrNotOpen) {
			return // the peer closed meanwhile
		}
		if c.SendText("error: "+err.Error()) != nil {
			return
		}
	}
}

func command(c *pqconn.Conn, line string) error {
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case "export":
		// The last word is the length: a label may have spaces, or be empty.
		i := strings.LastIndexByte(rest, ' ')
		if i < 0 {
			return errors.New("!export LABEL LENGTH")
		}
		size, err := strconv.Atoi(rest[i+1:])
		if err != nil {
			return err
		}
		key, err := c.ExportKey(rest[:i], size)
		if err != nil {
			return err
		}
		return c.SendText(hex.EncodeToString(key))
	case "hash":
		return c.SendText(hex.EncodeToString(c.TranscriptHash()))
	case "update":
		c.Update()
		return c.SendText("updated")
	case "batch":
		n, err := strconv.Atoi(rest)
		if err != nil || n < 1 || n > 10000 {
			return errors.New("!batch N, 1 to 10000")
		}
		messages := make([]pqws.Message, n)
		for i := range messages {
			messages[i] = pqws.Message{Text: true, Data: fmt.Appendf(nil, "batch %d", i)}
		}
		return c.SendBatch(messages)
	case "mixed":
		return c.SendBatch(mixed())
	case "pad":
		padding, err := parsePadding(rest)
		if err != nil {
			return err
		}
		if err := c.SetPadding(padding); err != nil {
			return err
		}
		return c.SendText("padded")
	case "kem":
		return c.SendText(string(c.KEM()))
	case "peer-key":
		key := c.PeerKey()
		if key == nil {
			return c.SendText("none")
		}
		return c.SendText(fmt.Sprintf("%x", sha256.Sum256(key)))
	case "generation":
		return c.SendText(strconv.FormatUint(c.Generation(), 10))
	case "exchange":
		later(c, "exchanged", c.Exchange)
		return nil
	case "ping":
		later(c, "ponged", func(ctx context.Context) error { return c.Ping(ctx, []byte(rest)) })
		return nil
	case "close":
		text, reason, _ := strings.Cut(rest, " ")
		code, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return err
		}
		_, err = c.Close(uint16(code), reason)
		return err
	}
	return errors.New("unknown command")
}

// later says a word once something is done for which this connection has to be read meanwhile.
func later(c *pqconn.Conn, word string, do func(context.Context) error) {
	go func() {
		err := do(context.Background())
		switch {
		case err == nil:
			_ = c.SendText(word)
		case !errors.Is(err, pqws.ErrNotOpen):
			_ = c.SendText("error: " + err.Error())
		}
	}()
}

func mixed() []pqws.Message {
	return []pqws.Message{
		{Text: true, Data: []byte("a")}, {Data: []byte{0x00, 0x01, 0xff}}, {Text: true}, {},
	}
}
