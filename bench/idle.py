"""`just bench-idle`: what an open usage page costs while nothing happens, and how long a use takes to show.

A demo behind a relay that counts every byte of every connection, both ways, and Chromium on the usage page.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
from time import perf_counter

from playwright.async_api import Page, async_playwright

from tools.needs import browser

CHROMIUM = os.environ.get("SELFCARE_CHROMIUM") or browser()
PASSWORD = "Demo-Pass-1!"
MOST_BYTES, MOST_SECONDS = 2048, 5.0


class Relay:
    def __init__(self, to: int) -> None:
        self.to = to
        self.bytes = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self.to)
        await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                self.bytes += len(chunk)
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


async def sign_in(page: Page, address: str) -> None:
    await page.goto(f"{address}/sign-in")
    await page.get_by_label("E-mail").fill("asha@example.test")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).first.click()
    await page.wait_for_url(lambda url: "/sign-in" not in url)


async def time_to_show(page: Page, address: str) -> float:
    texts = page.locator("#line-sms-any")
    before = await texts.inner_text()
    other = await page.context.new_page()
    await other.goto(f"{address}/demo")
    service = other.get_by_label("Service", exact=True)
    await service.select_option(await service.locator("option", has_text="900123").first.get_attribute("value"))
    await other.get_by_label("What", exact=True).select_option("text")
    await other.get_by_role("button", name="Use it").click()
    await other.get_by_role("status").first.wait_for()
    begun = perf_counter()
    while await texts.inner_text() == before:
        await asyncio.sleep(0.05)
    await other.close()
    return perf_counter() - begun


async def main(options: argparse.Namespace) -> None:
    relay = Relay(options.port + 1)
    address = f"http://127.0.0.1:{options.port}"
    with tempfile.TemporaryDirectory() as place:
        command = ("-m", "selfcare", "demo", "--data", place, "--port", str(relay.to), "--public-url", address)
        server = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
        try:
            assert server.stdout is not None
            while b"Ctrl+C" not in await server.stdout.readline():
                pass
            async with await asyncio.start_server(relay.serve, "127.0.0.1", options.port), async_playwright() as tool:
                browser = await tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                page = await (await browser.new_context(locale="en-GB")).new_page()
                await sign_in(page, address)
                await page.goto(f"{address}/usage")
                await page.get_by_role("link", name=re.compile("View Usage Mobile")).click()
                await page.get_by_role("heading", level=1, name=re.compile("Usage of")).wait_for()
                await asyncio.sleep(3)
                before = relay.bytes
                await asyncio.sleep(60 * options.minutes)
                each = (relay.bytes - before) / options.minutes
                took = sorted([await time_to_show(page, address) for _ in range(options.times)])
                await browser.close()
        finally:
            server.terminate()
            await server.wait()
    verdict = "ok" if each <= MOST_BYTES else "MISSED"
    print(f"  bytes of an idle minute, both ways      {each:8.0f}   <= {MOST_BYTES}   {verdict}")
    verdict = "ok" if took[-1] <= MOST_SECONDS else "MISSED"
    print(f"  seconds until a use shows, median       {took[len(took) // 2]:8.1f}")
    print(f"  seconds until a use shows, longest      {took[-1]:8.1f}   <= {MOST_SECONDS}   {verdict}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=3)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--port", type=int, default=8136)
    asyncio.run(main(parser.parse_args()))
