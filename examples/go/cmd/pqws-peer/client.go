package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"example.com/pqws/pqconn"
	"example.com/pqws/pqws"
)

const caseTimeout = 60 * time.Second

func runClient(args []string, stdout io.Writer) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return errors.New(usage)
	}
	url := args[0]
	dialer := &pqconn.Dialer{}
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	commonFlags(flags, &dialer.Options)
	flags.BoolVar(&dialer.FastOpen, "fast-open", false, "send ClientHello in the upgrade request too")
	flags.Func("pin", "ML-DSA-65 public key, in hex", func(text string) error {
		pin, err := parsePin(text)
		dialer.Options.Pins = append(dialer.Options.Pins, pin)
		return err
	})
	flags.Func("identity", "ML-DSA-65 seed of this client, 32 bytes in hex", func(text string) (err error) {
		dialer.Options.Identity, dialer.Options.PublicKey, err = parseIdentity(text)
		return err
	})
	var chosen []testCase
	flags.Func("case", "runs this case alone; may be repeated", func(name string) error {
		all := slices.Concat(cases, kemCases, exchangeCases, identityCases, heartbeatCases)
		i := slices.IndexFunc(all, func(c testCase) bool { return c.name == name })
		if i < 0 {
			return fmt.Errorf("there is no case %q", name)
		}
		chosen = append(chosen, all[i])
		return nil
	})
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if chosen == nil {
		chosen = casesFor(flags, dialer.Options)
	}
	return runCases(url, dialer, chosen, stdout)
}

// casesFor adds to the cases of v1 those of every extension that the command line names.
func casesFor(flags *flag.FlagSet, options pqws.Options) []testCase {
	chosen := cases
	flags.Visit(func(f *flag.Flag) {
		switch {
		case f.Name == "kem":
			chosen = slices.Concat(chosen, kemCases)
		case f.Name == "exchange-ms" && !options.Exchange.Off:
			chosen = slices.Concat(chosen, exchangeCases)
		case f.Name == "identity":
			chosen = slices.Concat(chosen, identityCases)
		case f.Name == "heartbeat" && !options.Heartbeat.Off:
			chosen = slices.Concat(chosen, heartbeatCases)
		}
	})
	return chosen
}

// A testCase has a connection of its own, so that one failure fails one case.
type testCase struct {
	name string
	run  func(*peer) error
}

// A peer is the connection of one case, and what opens another.
type peer struct {
	*pqconn.Conn
	options pqws.Options
	dial    func() (*peer, error)
}

type verdict struct {
	Case   string `json:"case"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

func runCases(url string, dialer *pqconn.Dialer, cases []testCase, stdout io.Writer) error {
	encoder := json.NewEncoder(stdout)
	var failed error
	for _, c := range cases {
		v := verdict{Case: c.name, OK: true}
		if err := runCase(url, dialer, c); err != nil {
			v.OK, v.Detail, failed = false, err.Error(), errCases
		}
		if err := encoder.Encode(v); err != nil {
			return err
		}
	}
	return failed
}

func runCase(url string, dialer *pqconn.Dialer, c testCase) error {
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	var dial func() (*peer, error)
	dial = func() (*peer, error) {
		conn, err := dialer.Dial(ctx, url)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, conn.Abort) // at the end of the case too, by cancel
		return &peer{conn, dialer.Options, dial}, nil
	}
	p, err := dial()
	if err != nil {
		return err
	}
	defer p.Abort() // the process may end with the case
	if err := c.run(p); err != nil {
		return err
	}
	return ctx.Err()
}
