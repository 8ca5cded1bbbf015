-- SPDX-License-Identifier: ISC
-- dkimd.lua - dkimd as miltertest, the test client of opendkim, sees it:
-- two messages in one session, one of a stranger and one to be signed.
--     miltertest -D socket=local:/path -s dkimd.lua

local function check(what, held)
	if not held then
		mt.echo("wrong: " .. what)
		error(what)
	end
end

local conn = mt.connect(socket)
check("connect", conn ~= nil)
check("negotiate", mt.negotiate(conn, SMFI_VERSION, SMFI_V6_ACTS,
    SMFI_V6_PROT) == nil)
check("connection", mt.conninfo(conn, "client.example", "192.0.2.200") == nil)
check("its reply", mt.getreply(conn) == SMFIR_CONTINUE)

local function deliver(queue_id, from)
	mt.macro(conn, SMFIC_MAIL, "i", queue_id)
	check("sender", mt.mailfrom(conn, "<" .. from .. ">") == nil)
	check("recipient", mt.rcptto(conn, "<u@example.net>") == nil)
	check("From", mt.header(conn, "From", from) == nil)
	check("Date", mt.header(conn, "Date",
	    "Sat, 21 Nov 2026 12:00:00 +0000") == nil)
	check("Subject", mt.header(conn, "Subject", "hello") == nil)
	check("end of header", mt.eoh(conn) == nil)
	check("body", mt.bodystring(conn, "Hello.\r\n") == nil)
	check("end", mt.eom(conn) == nil)
	check("accepted " .. queue_id, mt.getreply(conn) == SMFIR_ACCEPT or
	    mt.getreply(conn) == SMFIR_CONTINUE)
end

deliver("4Clua0001", "b@own.example")
check("signed", mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature"))
local value = mt.getheader(conn, "DKIM-Signature", 0)
check("by us", string.find(value, "d=own.example", 1, true) ~= nil)
check("From is signed", string.find(string.lower(value), "h=from", 1, true))
check("no results for own mail",
    not mt.eom_check(conn, MT_HDRINSERT, "Authentication-Results"))
mt.disconnect(conn)
