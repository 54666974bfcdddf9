/* SPDX-License-Identifier: MIT */
/*
 * Assertions: a broken invariant of ours, never a reaction to bytes from the wire (those are
 * dropped with a reason). They stay on in every build but benchmarks that ask otherwise.
 */
#ifndef TAPLINE_STACK_ASSERT_H
#define TAPLINE_STACK_ASSERT_H

/*
 * Does not return. The program that embeds the stack defines it: the harness prints and aborts, so
 * that a test's child process dies with the message; a fuzzer calls abort().
 */
_Noreturn void stack_panic(const char *file, int line, const char *what);

#define BUG(what)    stack_panic(__FILE__, __LINE__, (what))
#define ASSERT(cond) ((cond) ? (void)0 : stack_panic(__FILE__, __LINE__, #cond))

#endif
