// Guest shows whatever chance a Go program can see.
package main

import (
	crypto "crypto/rand"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

func main() {
	fmt.Println("arguments", os.Args[1:])
	fmt.Println("clock", time.Now().UnixNano())
	fmt.Println("random", rand.Uint64(), crypto.Text())
	m := map[int]int{}
	for i := range 100 {
		m[i] = i
	}
	fmt.Print("map")
	for k := range m {
		fmt.Print(" ", k)
	}
	fmt.Print("\nselect")
	a, b := make(chan int, 50), make(chan int, 50)
	for range 50 {
		a <- 0
		b <- 1
	}
	for range 50 {
		select {
		case n := <-a:
			fmt.Print(" ", n)
		case n := <-b:
			fmt.Print(" ", n)
		}
	}
	fmt.Print("\ntimers")
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			time.Sleep(time.Duration(1+i%3) * time.Hour)
			mu.Lock()
			defer mu.Unlock()
			fmt.Print(" ", i)
		})
	}
	all.Wait()
	fmt.Println("\nclock", time.Now().UnixNano())
	files()
	os.Exit(3)
}

func files() {
	dir, err := os.MkdirTemp("", "guest")
	check(err)
	for _, name := range []string{"z", "b", "y", "a", "x", "c"} {
		check(os.WriteFile(dir+"/"+name, []byte(name), 0o600))
	}
	check(os.Mkdir(dir+"/d", 0o700))
	check(os.Rename(dir+"/z", dir+"/e"))
	d, err := os.Open(dir)
	check(err)
	for range 2 { // the second time from the beginning again
		names, err := d.Readdirnames(-1)
		check(err)
		fmt.Println("directory", dir, names)
		_, err = d.Seek(0, 0)
		check(err)
	}
	for _, name := range []string{"/a", "/d"} {
		st, err := os.Stat(dir + name)
		check(err)
		fmt.Println("stat", st.Name(), st.Mode(), st.Size(), st.ModTime().UnixNano(), st.Sys())
	}
	check(os.RemoveAll(dir))
	_, err = os.Stat(dir)
	fmt.Println("removed", os.IsNotExist(err))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
