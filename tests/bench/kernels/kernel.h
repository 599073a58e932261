// What every kernel needs: an entry point, and a way to hand over its checksum so that no work can be optimised away.
#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

IMPORT("ethereum", "finish") void finish(const void *data, u32 length);

static inline void give(u64 checksum) {
    static u64 out;
    out = checksum;
    finish(&out, sizeof out);
}
