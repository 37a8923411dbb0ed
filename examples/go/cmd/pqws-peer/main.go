// Command pqws-peer is the Go side of the interoperability tests: a server with commands, and a client that runs
// cases against such a server.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/pqws/pqws"
)

const usage = `usage:
  pqws-peer server [--port N] [--profile v1] [--context TEXT] [--identity-seed HEX] [--padding N|padme]
                   [--page REPOSITORY] [--max-payload N] [--handshake-timeout DURATION]
  pqws-peer client URL [--case NAME]... [--profile v1] [--context TEXT] [--pin HEX]... [--padding N|padme]
                   [--max-payload N] [--handshake-timeout DURATION] [--fast-open]
  pqws-peer features`

// What test/interop asks before it runs anything.
const features = `{"server":["v1","identity","fingerprint","fast-open","page"],"client":["v1","identity","fingerprint","fast-open"]}`

func main() {
	if len(os.Args) > 1 {
		switch mode, args := os.Args[1], os.Args[2:]; mode {
		case "server":
			exit(runServer(args))
		case "client":
			exit(runClient(args, os.Stdout))
		case "features":
			fmt.Println(features)
			return
		}
	}
	exit(errors.New(usage))
}

// errCases is returned when a case failed, which has been printed.
var errCases = errors.New("cases failed")

func exit(err error) {
	switch {
	case err == nil:
		os.Exit(0)
	case errors.Is(err, errCases):
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

// commonFlags are those that both modes take.
func commonFlags(flags *flag.FlagSet, options *pqws.Options) {
	flags.Func("profile", "v1, the only one that this peer speaks", func(text string) error {
		if text != "v1" {
			return errors.New("this peer speaks v1 alone")
		}
		return nil
	})
	flags.Func("context", "what both ends bind the handshake to", func(text string) error {
		options.Context = []byte(text)
		return nil
	})
	flags.Func("padding", "block size, or padme", func(text string) (err error) {
		options.Padding, err = parsePadding(text)
		return err
	})
	flags.IntVar(&options.MaxPayload, "max-payload", 0, "longest message that is taken, in bytes")
	flags.DurationVar(&options.HandshakeTimeout, "handshake-timeout", 10*time.Second, "for the whole handshake")
}

func parsePadding(text string) (pqws.Padding, error) {
	if text == "padme" {
		return pqws.Padme, nil
	}
	block, err := strconv.Atoi(text)
	if err != nil || block < 0 || block > 65536 {
		return 0, errors.New("0 to 65536, or padme")
	}
	return pqws.Padding(block), nil
}

func parsePin(text string) ([]byte, error) {
	digits, isFingerprint := strings.CutPrefix(text, "sha256:")
	pin, err := hex.DecodeString(digits)
	if err != nil {
		return nil, errors.New("not hexadecimal")
	}
	if isFingerprint != (len(pin) == sha256.Size) {
		return nil, errors.New("a public key of 1952 bytes in hex, or sha256: and the 64 digits of its fingerprint")
	}
	return pin, nil
}
