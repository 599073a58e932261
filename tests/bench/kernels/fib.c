// Doubly recursive Fibonacci numbers: nothing but calls.
#include "kernel.h"

__attribute__((noinline)) static u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

EXPORT("main") void run(void) { give(fib(30)); }
