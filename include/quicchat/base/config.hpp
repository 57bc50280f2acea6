#pragma once

/// Marks functions whose bodies a program compiles once if it defines QUICCHAT_COMPILED, in the
/// file that includes quicchat/src.hpp. Otherwise every file that uses the library has them.
#ifdef QUICCHAT_COMPILED
#define QUICCHAT_DECL
#else
#define QUICCHAT_DECL inline
#endif

/// The same, for what is done once at a start, for a connection or a login, or when a person does
/// what people seldom do. Compilers make it small in the place of fast.
#define QUICCHAT_RARE_DECL [[gnu::cold]] QUICCHAT_DECL

/// 1 where AddressSanitizer watches: memory that is kept for the next one would hide faults from it.
#if defined(__SANITIZE_ADDRESS__)
#define QUICCHAT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QUICCHAT_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef QUICCHAT_ADDRESS_SANITIZER
#define QUICCHAT_ADDRESS_SANITIZER 0
#endif
