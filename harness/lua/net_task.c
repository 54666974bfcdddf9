/* SPDX-License-Identifier: MIT */
/*
 * Tasks: coroutines of a script that take turns with the world.
 *
 * Invariants:
 * - The world runs only while no task is ready; a ready task runs at the instant it became ready.
 * - Ready tasks run in the order in which they became ready, so that the run does not depend on
 *   anything but the script and the world.
 */
#include "lua/net.h"

#include <stdlib.h>

void net_task_wake(struct net_run *n, struct net_task *task)
{
	if (task->done || task->ready)
		return;
	task->ready = true;
	task->order = ++n->wake_order;
	n->sut->ops->stop(n->sut);
}

struct net_task *net_task_check(lua_State *L)
{
	struct net_run *n = net_run_of(L);

	if (n->in_hook)
		script_error(L, "a hook may not wait");
	if (!n->running || n->running->co != L || !lua_isyieldable(L))
		script_error(L, "this call waits: not possible in a coroutine of the script's own, "
				"use net.spawn");
	return n->running;
}

/* The main task has no world before it needs one, so tasks are made without. */
static struct net_task *add_task(struct net_task **list, lua_State *co, u32 number)
{
	struct net_task *task = xrealloc(NULL, sizeof(*task));

	*task = (struct net_task){
		.co = co,
		.number = number,
		.ready = true,
		.deadline_ns = TIME_NEVER,
	};
	while (*list)
		list = &(*list)->next;
	*list = task;
	return task;
}

/* -- Running -- */

/* Runs a task until it waits, returns or fails. False: it failed, or was skipped. */
static bool resume(struct test_run *t, struct net_task *task)
{
	int status, results;

	task->ready = false;
	task->for_frames = false;
	task->deadline_ns = TIME_NEVER;
	t->task = task->co;
	if (t->net)
		t->net->running = task;
	status = lua_resume(task->co, NULL, 0, &results);
	t->task = NULL;
	if (t->net)
		t->net->running = NULL;
	if (status == LUA_OK) {
		task->done = true;
		return true;
	}
	if (status != LUA_YIELD) {
		task->done = true;
		test_run_error(t, task->co, status);
		return false;
	}
	if (results == 1 && lua_touserdata(task->co, -1) == (void *)t) {
		lua_pop(task->co, 1);
		return true;
	}
	task->done = true;
	test_run_fail(t, "coroutine.yield outside of a coroutine", NULL, NULL, NULL, NULL, 0);
	return false;
}

static struct net_task *first_ready(struct net_run *n)
{
	struct net_task *best = NULL;
	struct net_task *task;

	for (task = n->tasks; task; task = task->next) {
		if (!task->done && task->ready && (!best || task->order < best->order))
			best = task;
	}
	return best;
}

static u64 first_deadline(const struct net_run *n)
{
	const struct net_task *task;
	u64 first = TIME_NEVER;

	for (task = n->tasks; task; task = task->next) {
		if (!task->done && task->deadline_ns < first)
			first = task->deadline_ns;
	}
	return first;
}

static void expire(struct net_run *n)
{
	u64 now = n->sut->ops->now(n->sut);
	struct net_task *task;

	for (task = n->tasks; task; task = task->next) {
		if (!task->done && !task->ready && task->deadline_ns <= now) {
			task->timed_out = true;
			net_task_wake(n, task);
		}
	}
}

/* Fails the test where its main task waits. */
static void fail_waiting(struct net_run *n, const char *message)
{
	struct strbuf file = { 0 };
	int line = 0;

	test_run_where(n->tasks->co, 0, &file, &line);
	test_run_fail(n->test, message, NULL, NULL, NULL, file.data, line);
	strbuf_free(&file);
}

static bool storm(struct net_run *n)
{
	n->test->result->invariant = true;
	fail_waiting(n, "invariant: event storm: the world does not get past one instant");
	return false;
}

/* Lets the world go on until a task is ready. */
static bool run_world(struct net_run *n)
{
	u64 deadline = first_deadline(n);
	u64 until = deadline < NET_TIME_LIMIT ? deadline : NET_TIME_LIMIT;

	if (deadline == TIME_NEVER && n->sut->ops->next_event(n->sut) == TIME_NEVER) {
		fail_waiting(n, "the test waits for something that can not happen any more: "
				"nothing is left to do in the world");
		return false;
	}
	if (n->sut->ops->run(n->sut, until) == WORLD_STORM)
		return storm(n);
	if (first_ready(n))
		return !n->test->failed;
	expire(n);
	if (!first_ready(n) && n->sut->ops->now(n->sut) >= NET_TIME_LIMIT) {
		fail_waiting(n, "virtual time limit: the test took more than a day");
		return false;
	}
	return !n->test->failed;
}

bool net_run_tasks(struct test_run *t)
{
	lua_State *L = t->sb->L;
	lua_State *co = lua_newthread(L);
	struct net_task *list = NULL;
	struct net_task *main_task = add_task(&list, co, 0);
	bool ok = true;

	lua_insert(L, -2);
	lua_xmove(L, co, 1);
	t->main_task = main_task;
	/* Until it waits for the first time the main task may have made no world at all. */
	ok = resume(t, main_task);
	while (ok && !main_task->done && !t->failed) {
		struct net_task *task = first_ready(t->net);

		ok = task ? resume(t, task) : run_world(t->net);
	}
	if (!t->net)
		free(main_task);
	t->main_task = NULL;
	return ok && !t->failed;
}

void net_run_settle(struct net_run *n)
{
	u64 delay = 0;
	size_t i;

	for (i = 0; i < n->wire_count; i++) {
		u64 both = n->wires[i].delay_ns[0] + n->wires[i].delay_ns[1];

		if (both > delay)
			delay = both;
	}
	delay += n->sut->ops->now(n->sut);
	while (n->sut->ops->run(n->sut, delay) == WORLD_STOPPED)
		continue;
}

/* -- Natives -- */

static int wait_done(lua_State *L, int status, lua_KContext context)
{
	struct net_task *task = (struct net_task *)context;

	(void)status;
	lua_pushboolean(L, !task->timed_out);
	return 1;
}

/*
 * native.wait(deadline, frames): waits until virtual time `deadline` (nil: no limit) or, if
 * `frames`, a frame. True when woken, false when the time came.
 */
static int native_wait(lua_State *L)
{
	struct net_task *task = net_task_check(L);
	struct net_run *n = net_run_of(L);

	task->deadline_ns = lua_isnil(L, 1) ? TIME_NEVER : (u64)luaL_checkinteger(L, 1);
	task->for_frames = lua_toboolean(L, 2);
	task->timed_out = false;
	lua_settop(L, 0);
	lua_pushlightuserdata(L, n->test);
	return lua_yieldk(L, 1, (lua_KContext)task, wait_done);
}

/* native.spawn(function): a new task; its number. It begins when the present one waits. */
static int native_spawn(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	struct net_task *task;
	lua_State *co;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	if (n->in_hook)
		return script_error(L, "a hook may not start a task");
	sandbox_bill(L, 1000);
	co = lua_newthread(L);
	task = add_task(&n->tasks, co, ++n->task_count);
	task->order = ++n->wake_order;
	/* Kept alive by the registry for as long as the state lives. */
	lua_rawsetp(L, LUA_REGISTRYINDEX, task);
	lua_pushvalue(L, 1);
	lua_xmove(L, co, 1);
	lua_pushinteger(L, task->number);
	return 1;
}

static struct net_task *task_by_number(lua_State *L, int index)
{
	struct net_run *n = net_run_of(L);
	lua_Integer number = luaL_checkinteger(L, index);
	struct net_task *task;

	for (task = n->tasks; task; task = task->next) {
		if (task->number == number)
			return task;
	}
	luaL_error(L, "no such task");
	return NULL;
}

static int native_task_done(lua_State *L)
{
	lua_pushboolean(L, task_by_number(L, 1)->done);
	return 1;
}

/* native.wake(task) */
static int native_wake(lua_State *L)
{
	net_task_wake(net_run_of(L), task_by_number(L, 1));
	return 0;
}

static int native_task(lua_State *L)
{
	lua_pushinteger(L, net_task_check(L)->number);
	return 1;
}

void net_open_tasks(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "wait", native_wait },	   { "spawn", native_spawn },
		{ "task_done", native_task_done }, { "wake", native_wake },
		{ "task", native_task },	   { NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
