# linalg_matrix_rank_hermitian/definition is WRONG, by the property agreement: against the oracle: 1 of 1
# entries differ, where nothing but equality will do
# Why: no known cause explains it; what matters is that x has equal entries
# Largest difference seen: 1
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import base64
import zlib
import torch
import torch._refs


def linalg_matrix_rank_hermitian(x, hermitian=True):
    """What torch.linalg.matrix_rank computes."""
    return torch.linalg.matrix_rank(x, hermitian=hermitian)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.frombuffer(bytearray(zlib.decompress(base64.b85decode('c-kG6d34QZ8pmx#jin|sF=}bmQk0lML_|kEC1_%8iy9q78l=Tk8k1^;pp@Ez21Oj99MMx->5Oe6_x|4PckLRQQu`6HRBCBR={#rtxaXeV`@8pf-{<>&zn>>@r)6)LCAEeo^Pd{MTr(-d@NHkmg!@6hx)ES^xT8*iN8@sjOQ|6$ax9<4YN|#$qS_h$e$~*TtdPXh9y69%Calubdg9S_i%0e<OWzHaf_zK(D#K&>ZTc+3zCSCPtxz;w<}v26BJq}C;29qqEj1Q;^g6ByPqO@XlIAb7gM`1}krL;4E?{{2iAP3(Bd@2S+OL{(Uu)(KP#Ad^dDy4NV1=LS(=%C7Qd846LNhBu>hCI~&Tk%zmug}r7@9P<9D2iNw|sBxso6PGapDg_s#jL5o@$9L^ceJw<Mc+09;SKzj^o`h&BD=|t@9PPqBJej9eriJ)4P^wmmOEn1o_@r2EXiBD(ge$2Kl_3<=d5p(utN)ljSVUG^gZws`PrJhrtYS6!<}s!b5!bqULs~VeK`=?tYr7eJzQ(mPx6W_8%x#%?puSL$P$VCL-R_s?@P25TwKC0NK%&q>COgO)VSVH(b3VeRQ@Q=;`Pk8{+h{nnANPXFt?jf1>!oczjw{ab=KW*KEzGA%^x{98dRX`c;$qR}{xTGnA|mU;J*VZ7n13YZ8Z98eXuB_|ma)pwGQXk9?^+>!cxZqGsPA!<3Phf1lUHiPlSZI>whsohF92Q$5-}HN<bz^!QM;y<pffR?+<v#o0xgvLlv*FDnk5Q<MfRk>bgR;>U)aJPP9si<%p<q;BnQ@@eMtQxiG&7@vYD%kGdSf0reCwIxhEF|@>^qOPOY1x@xPO~ok3=(j8vuR8viYv{H?ksw+fs%Drl(2~>Gl9H-9-pTOlLPO>XLu_-!$#sqqaY26V>Qiz%1ZNbkre)6t@j<jAdAw%uH=_MbOTN`y8{kN&@K}FX(I-Xf-I8-X6XL~lhV$#?S-jS)nWb#3$7{|fGsfb@_-vf($Y|l{v&qm&DN@dP%qtLmS}CI5(Ik(y#LWz_JzDchBZt4;@_w<$kb9!nP|g0&9e<s!$jVVvx^MZ?DxR1Al4=_cP87{W>oNb*EUMxYe_4^{4D)g{cdIJm1B!R<D~d8@&oslt`i9hx95a_&j>aoG$-S2*OST6(!X%sZ>uSa(8G5wU6o26O&KUBJ3M1|oayH%2|CD3O!2s23_?#N9c&*6e$~akXt(ZI4(C3n6P>&!g-;v!&`iR$ri9TP{Gc0{p_Icg0CrXif-)HT9@y!tFX-a?#Ee)O1#1pS*>UMOboDQ%|ymYFn_%BYeLo)G<<i3vFUqly8y(NYl7bQbQiZhEnI{xfP%M_;k7UV>8M`B~g)D<3OXDo}IM}sRKPZA8RmWm#p$NU_R!*d+D&q?m5X>M&*MBdY^k~^%Bdnmmt_v0Jl5-oqqbUcy!idkcb`o+@btmt!9lXF}=D;bH(QxsQ74$3WK+bD+ik@}MLm_$W*y%6I><C=RE%@-N!Zw^v%z>pT}b1W@Hf5}7iFkx2zAgSVy&8G}ML<ISGfuXpyVe7}53*o{e>HFAm#gf|rYHSd;lsks^GJHK*(MWuJ{*v^TX}HtCvU;Ya$|#S5kl}KK5^g$vtf^=-)N)E#GDUKq*FD6xhKlq-Av*N(=)T0`1<`L&sZaJ^OGS)fXPoA63&k74to+JHSXV6f`+JbnE=W<iuzi@k+a>crJ6g_BJSx)6kF}(aFw`0)eN=XwU2oYZOxjth*d~0KcG9su+tOi&Bdf^rQ^@h=cJcg!Ai2kc^|2oJV;zHgTgK$cY?&^MdP%Xjip+qKn)m7&0t-B%%MBHe3_sUaw7RZYH`Y=-(otKuvM<XpYpr8hvHZWkWp)+KgDFAwPBE09^cZ_C#H*2tjQ<#J3acNLSRUT7oRv9LSs1#tvz+6g%!NsYACrBO{${y5Imj2{n*j|JgC*B3A`N9xQmema_<YT#1jp)Y9#vX<tn8t<nd^A8N#pi8-kK>Kn(lZ{d|EQe=dtvg@I>~iVaOO5V#^7SN_in(lI*n;4^&9jliEmzzY@mou@uSt?Y_hCW-XtFMi?V!U3=Ql_IiNcGViwT@o4HxKglw8nrfm`4AVCox@1`%%buGgTMv?i%eyqy>WB}dR@c`x%MJ<SW_To&S#C?;tr9}4KO-4f?qNSwtej`*CG2l23=e->(W|{BLs-03*3>w~Kg1tna=riiBfPqyqwr<(M<IUS?^q|ZGOLfFYPv_H^px;W=0gL=<cW@jLB)dWGUG1?nA5;;RQSB<7fs4W;n`xDjmT^jO?C;_T4W1jj`@@|v=oY`&Phg7s{4FjO);Zikn>?7;%_Q0iXV?iZ{sft(<*uV5A+C{P5'))), dtype=torch.float32).reshape((1, 24, 24)),
            hermitian=True,
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.tensor([24], dtype=torch.int64)
    actual = call(case())

    torch.set_printoptions(precision=9)
    print("expected:", expected, sep="\n")
    print("actual:", actual, sep="\n")
    largest = float("inf")  # where nothing came that could be compared
    kind = lambda tensor: (tensor.shape, tensor.layout, tensor.is_floating_point(), tensor.is_complex())
    if isinstance(actual, torch.Tensor) and kind(actual) == kind(expected) and actual.device.type == 'cpu':
        actual, expected = (tensor.detach().cpu().to(torch.float64) for tensor in (actual, expected))
        same = (actual == expected) | (actual.isnan() & expected.isnan())
        apart = torch.where(same, 0.0, (actual - expected).abs()).nan_to_num(nan=largest, posinf=largest)
        largest = max(apart.flatten().tolist(), default=0.0)
    print(f"largest difference: {largest:.3g}")
    versions = [f"{name} {sys.modules[name].__version__}" for name in ('torch', 'numpy') if name in sys.modules]
    print("versions:", ", ".join([*versions, f"Python {platform.python_version()}", platform.platform()]))


reproduce(linalg_matrix_rank_hermitian)
