// Reads and writes documents with libvirt-go-xml, and prints the nanoseconds of each round as JSON.
// Run: main ROUNDS PATH...
package main

import (
	"encoding/json"
	"log"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"libvirt.org/go/libvirtxml"
)

type times struct {
	Version string   `json:"version"`
	Read    []int64  `json:"read"`
	Write   []int64  `json:"write"`
	Written []string `json:"written"`
}

func main() {
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var texts []string
	for _, path := range os.Args[2:] {
		text, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	documents := make([]libvirtxml.Document, len(texts))
	found := times{Version: runtime.Version(), Written: make([]string, len(texts))}
	for round := 0; round <= rounds; round++ {
		runtime.GC()
		start := time.Now()
		for i, text := range texts {
			if strings.HasPrefix(strings.TrimSpace(text), "<volume") {
				documents[i] = &libvirtxml.StorageVolume{}
			} else {
				documents[i] = &libvirtxml.StoragePool{}
			}
			if err := documents[i].Unmarshal(text); err != nil {
				log.Fatal(err)
			}
		}
		read := time.Since(start).Nanoseconds()
		runtime.GC()
		start = time.Now()
		for i, document := range documents {
			if found.Written[i], err = document.Marshal(); err != nil {
				log.Fatal(err)
			}
		}
		if round > 0 {
			found.Read = append(found.Read, read)
			found.Write = append(found.Write, time.Since(start).Nanoseconds())
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}
