#pragma once

/// Marks functions whose bodies a program compiles once if it defines QUICCHAT_COMPILED, in the
/// file that includes quicchat/src.hpp. Otherwise every file that uses the library has them.
#ifdef QUICCHAT_COMPILED
#define QUICCHAT_DECL
#else
#define QUICCHAT_DECL inline
#endif
