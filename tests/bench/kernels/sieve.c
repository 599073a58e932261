// Sieve of Eratosthenes: short loops of byte stores and branches.
#include "kernel.h"

enum { LIMIT = 1000000 };
static u8 composite[LIMIT];

EXPORT("main") void run(void) {
    u64 checksum = 0;
    for (int repeat = 0; repeat < 6; repeat++) {
        for (u32 i = 0; i < LIMIT; i++) composite[i] = 0;
        for (u32 i = 2; i * i < LIMIT; i++)
            if (!composite[i])
                for (u32 j = i * i; j < LIMIT; j += i) composite[j] = 1;
        for (u32 i = 2; i < LIMIT; i++) checksum += !composite[i] * i;
    }
    give(checksum);
}
