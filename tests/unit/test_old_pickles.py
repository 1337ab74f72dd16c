"""Pickles that libstorage 0.1 made: one whose classes have moved says so, one whose classes have not still loads."""

from __future__ import annotations

import base64
import pickle

import pytest

from libstorage import PoolBusyError, UnsupportedError, VolumeSpec

# Made by commit 40f611e: pickle.dumps(thing), in base 85.
MOVED = {
    "host": (
        "fCQDD000000001t7Hnx^b98TVVP|D7V{B<<ZgehaZ*z2%j08w;b99uGl#CB_Wpi{oFE1}-WoBV@Y;=@~j2UccVsmtF"
        "a$#p>E@NzIWo~pXZ*X*JZ*Fsxj0aC}bZKvHbCi>mDS?!Ilqie`bZKp6Z*_E(M?g*h000000E`T5Z*FH_bZKp6Z*_E("
        "PK*q5baH89bYE^^ZDn(mh;?Fzlv0!~"
    ),
    "pool": (
        "fCQB`0RR910001t7Hnx^b98TVVP|D7V{B<<ZgehiZ*Odrj08|`Z)}v4l#CW^X<~D9Z*pO0WiDfEX=QG7E@*Fabd-z)"
        "NN;m=l#`T<4|HX7bUH6DFJxtAVRdYDl!=TPY-wV1bZ>HDXJsy9Y-wd~bS`gjbZKvHbCiq+PjGZ;Z*Fsxlawielzo&a"
        "j0bdSZDntDbd*OxP5=M^0001t3~X<1XJ2$_ZDntDbd*kv40CjHX=8L>ZeeX@bCig6VuzGcl#Co~X<~D9Z*pO0WiDfH"
        "Zf<2`bZKvHE_7jXXJvGhj0R9|Z){0ql#`Sxfs}oeD2xMja%q%k28;x5VQpoUi~(?zj0AOcX=Id)Brq^AFfcGMFfcGM"
        "FfcGMFfcGMFfcGMFfcGMFfcGMFfcGMFqCy-hLlp2E&"
    ),
    "volume": (
        "fCQCZ0RR910001t7;I@`b98TVVP|D7V{B<<ZgehoZ)|mKWt5BtR&Q)|ZDo{`l#CW^X<~D9Z*pO0WiDfEX=QG7E@*Fa"
        "bd-z)NN;m=l#`T<4|HX7bUH6DFJxtAVRdYDl!=TPY-wV1bZ>HDXJsy9Y-wd~bS`gjbZKvHbCiq+PjGZ;Z*Fsxlawie"
        "lzo&aj0bdSZDntDbd*OxP5=M^0001t3~X<1XJ2$_ZDntDbd*kv40CjHX=8L>ZeeX@bCig6VuzGcl#Co~X<~D9Z*pO0"
        "WiDfHZf<2`bZKvHE_7jXXJvGhj0je5Y;|pANo16hlqrFfeUvDS1aNO}Y?Npbj0R9|Z){0ql#`Sxfs}oeD2xMja%q%k"
        "28;x5VQpoUi~(?zj0AOcX=Id)Brq^AFfcGMFfcGMFfcGMFfcGMFfcGMFfcGMFfcGMFfcGMFqCy-XdH|Ic9eBuhLlp2"
        "E&"
    ),
    "secret": (
        "fCQB?0RR910001t8Ek1{b98TVVP|D7V{B<<ZgehlWn*$>baRx922*8Ya%FUsla!1WY-wV1bZ>HDXJsy9Y-wd~bS`Lb"
        "b99u91W0dlbd-~nj1P2Wb96c{FE3<eW?^+~bd-sV8Ek1{b98TVVP|D7V{B<<ZgehhaCB*JZgZ532TyQxX>V?Gl#`Sx"
        "fs}oeD2xYmX>Db1b##<RKu!Pv00000j0|jVZf9R~X>Db1b##<Yj0|&ha%p39Uv6P-Wpk8>bz+B<Qk0AwY-wV1bZ>HD"
        "XJsy9Z*Fd7V{~b6ZZ33Ta%W|9l#B>dWn*$>bV+2Clawielzo&aj01IYX_RONj0AOcX=Id)Brq^AFfcGMFfcGMFfcGM"
        "FfcGMFfcGMFfcGMFfcGMFfcGMFqCy-hLlp2E&"
    ),
    "versions": (
        "fCQCD000000001t8Ek1{b98TVVP|D7V{B<<ZgehhaCB*JZgZ532v%isb7^mGbCi>mDS?!Ilqie_WMO4(Z*G)J0gMJ?"
        "Y-wd~bd*a1bz&|"
    ),
    "pool document with a device": (
        "fCQDv0RR910001t7Hnx^b98TVVP|D7ZEs{{Y;!JfZ*Odrj0jL~Z){U=Wn+|+lqrFfeUvDS1a4t%Wt5BoaFmP$b#-ZE"
        "lunEYV_|S%V`+4GlunEaVQg$~V_|e@Z*G)Mj0s_OVQFk(Vr*rUPK*d<Wnpx6a%FRrPK*X~Z*_8GWt5B=Y-wV1bZ>HD"
        "XJsyJZ)9a`b1rjlb#h~6bCiq-Msrhdb#h~6l#`Sxfs}oeD2xVVWp-&}Wt5B<Y-wV1bZ>HDXJsyJZ)9a`b1rafVPj=;"
        "l#B*MWp-&}Wt5YYDS?!Ilqie@aA9<4l#B>3WMy_Qb7W$aj1F*Na&%vFWpH6~VRUbDlunEcW^!d^UuAf7Wo~qHlqq#$"
        "j0R?Ja&2LBlunEWc4cm4Z*r7Qj0bRXZ)A02bd*kYVvGiKVRC0>bd-!7Y-wV1bZ>HDXJsyJZ)9a`b1raiZ){(1VRCeH"
        "l#B{cZ*Oc=VRC0>bd-~nDS?!IlqhHzj07)pa(0xA3vgv}ZE16JX>V?GlumVGj0bXMW^!e7Xp~Nj4Q+3AZggL7aCB*J"
        "ZgZ3=j1FUOZf0p`UvF@9X>V?Glqrk{b#7~JZ+C8#DRp8l"
    ),
    "progress": (
        "fCQC_000000001t8f<A|b98TVVP|D7V{B<<Zgehia&KpHWpi_sj1W|EVQzC~WpYq*Z)b94b90oFlqrFfeUvDS1a4t%"
        "Wt5Boc9e_=baG*Cb7p07luH4O1#oC#b7ho_26b?3Z((GVj09wFZe^590gMH7Z**a7luH7P2Xkd(Z*F9Blt(|{00000"
        "004DjE&"
    ),
}
KEPT = {
    "volume document": (
        "fCQC*0RR910001t7;I@`b98TVVP|D7ZEs{{Y;!JlZ)|mKWt5BxR&Q)|ZDmt%Wn+|+lqrFfeUvDS1ax_DWt2{g1a4t%"
        "Wt5Boc9e_*Yh`(qPK*X~Z*_8GWt2{g2xDPzVPk1@d6bM0Y-wV1bZ>HDXJsyRZfSILl#B#ZX?kUplaxvT002ORl!26t"
        "3Sn$)Z)0I}X>V?nPK*d}XnAvKV_|HRPK*Y0VRC0>bd+cSj0{$9Y;|pARAF*wWptF2lqrFfeUvDS1aM(=Xp~Nj24-(^"
        "ZDDkjj23KZVsmtFa$#p>E@f_YZF4SnZ*pXFl#C2kZ)|mKWkzpuZDDkjla!1Da$$Frg_Kg1j0<pOa&2jIb7^mGbCgbu"
        "3Uq00Wpi|4ZE$mxPK*j=ZewzJaCB*JZj?@p24in+aA9<mPK*U^Z)0zFl!=TCV{CPEbY*g1b7^{IlunEYW@TY?b#i5M"
        "lumVGj16L8V{2({XJ2!4Z*panPK*b2ZfkCDcW#s^bz&|"
    ),
    "error": (
        "fCQD@000000001t5o~E<b98TVVP|D7WpZ+Fa&wf74Nz}yY(jN&c|~$^Z*r8AlqrFfeUvDS2W@3@b75y?l#B#ob#r-?"
        "j0taWWpZJ3X>V?nPK*Y0VRC0>bd*kv19fs~lunEUXlZVAl#B#-VQF-fj0bOZbYpLAWt2{g1#)F{a(R?aj09tEWM!02"
        "j0R+HZDDC{lunEVY-M(3Y?Mxn1!Zz_Zf}%Mj0R+7bYW?1lunEXaB^>Fa$#+hPK*m>cxiNBb97;Jb#s(Xj0SUbWMy)4"
        "lunEUVRC14lxPNplyzb*"
    ),
}


@pytest.mark.parametrize("text", MOVED.values(), ids=MOVED.keys())
def test_one_of_the_old_layout_says_what_to_do(text: str) -> None:
    for _ in range(2):  # the module that failed to load must not be half there
        with pytest.raises(UnsupportedError, match=r"made by libstorage 0\.1") as error:
            pickle.loads(base64.b85decode(text))
        assert "Make the pickle again" in str(error.value)


def test_what_has_not_moved_loads() -> None:
    document, error = (pickle.loads(base64.b85decode(text)) for text in KEPT.values())
    assert document == VolumeSpec.raw("v", "1 GiB")
    assert isinstance(error, PoolBusyError)
    assert error.hint == "wait"
